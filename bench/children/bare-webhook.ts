// The least that a webhook for audit batches can be: reads a body, parses it, has it in a file that is synced, answers. Arguments: port, file.
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'

const [port, path] = process.argv.slice(2)
const fd = openSync(path ?? '', 'w')
createServer((request, response) => {
	const parts: Buffer[] = []
	request.on('data', (part: Buffer) => parts.push(part))
	request.on('end', () => {
		const body = Buffer.concat(parts)
		const { items } = JSON.parse(body.toString()) as { items: readonly unknown[] }
		writeSync(fd, body)
		fdatasyncSync(fd)
		response.writeHead(items.length > 0 ? 200 : 400).end()
	})
}).listen(Number(port), '127.0.0.1')
