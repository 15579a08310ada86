// A process of its own that puts values at an even pace, and tells when etcd acknowledged each: [revision, time in ms since the epoch].
import { etcdClient } from '#test/support/etcd.ts'
import { keyOf, valueOf } from '#bench/etcd/values.ts'

const [endpoint = '', perSecond = '', ms = ''] = process.argv.slice(2)
const client = etcdClient([endpoint])
const acknowledged: (readonly [revision: string, at: number])[] = []
const puts: Promise<void>[] = []

async function put(index: number): Promise<void> {
	const { header } = await client.kv.put({ key: Buffer.from(keyOf(index)), value: Buffer.from(valueOf(index)) })
	acknowledged.push([header.revision, performance.timeOrigin + performance.now()])
}

await put(0)
const begun = performance.now()
let sent = 0
for (let passed = 0; passed < Number(ms); passed = performance.now() - begun) {
	const due = (passed / 1000) * Number(perSecond)
	for (; sent < due; sent += 1) puts.push(put(sent))
	await new Promise((resolve) => setTimeout(resolve, 1))
}
await Promise.all(puts)
client.close()
process.send?.(acknowledged, () => process.disconnect())
