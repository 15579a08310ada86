// The commands that set up other programs to show what is recorded.
import { writeFileSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import { savedObjectsFile } from '#dashboards/kibana/saved-objects.ts'
import { systemClock } from '#runtime/clock.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { Io } from '#cli/queries/output.ts'
import { setupKibana } from './kibana.ts'
import { kibanaAddress, type Credentials } from './kibana-client.ts'

interface KibanaFlags extends Credentials {
	readonly url?: string
	readonly space?: string
	readonly prefix: string
	readonly wait: number
	readonly output?: string
}

const waitMaxSeconds = 3600

function seconds(text: string): number {
	const value = Number(text)
	if (!/^\d+$/.test(text) || value > waitMaxSeconds) throw new InvalidArgumentError(`whole seconds, at most ${waitMaxSeconds}.`)
	return value
}

function indexPrefix(text: string): string {
	if (!/^[a-z][a-z0-9_]{0,31}$/.test(text)) throw new InvalidArgumentError('lower-case letters, digits and _, a letter first.')
	return text
}

/** https://www.elastic.co/docs/deploy-manage/manage-spaces: lower-case letters, digits, hyphen, underscore. */
function spaceId(text: string): string {
	if (!/^[a-z0-9_-]+$/.test(text)) throw new InvalidArgumentError('the id of a space: lower-case letters, digits, - and _.')
	return text
}

function writeObjects(file: string, prefix: string, io: Io): void {
	const text = savedObjectsFile(prefix)
	if (file === '-') return io.stdout(text)
	try {
		writeFileSync(file, text)
	} catch (error) {
		throw new KubetapeError('RUNTIME_NO_PERMISSION', `--output ${file}: ${messageOf(error)}`, { cause: error })
	}
}

export function registerSetup(program: Command, io: Io): void {
	const setup = program.command('setup').description('set up other programs to show what is recorded')
	setup
		.command('kibana')
		.description('import data views, searches and dashboards into Kibana 9; doing it again brings them up to date')
		.option('--url <address>', 'of Kibana, such as https://kibana.example:5601')
		.option('--space <id>', 'space to import into (default: the default space)', spaceId)
		.option('--prefix <name>', 'what the names of the indices begin with (store.elasticsearch.prefix)', indexPrefix, 'kubetape')
		.option('--api-key-file <file>', 'file that holds an API key (its encoded form); - is standard input')
		.option('--username <name>', 'user, where no API key is used')
		.option('--password-file <file>', 'file that holds the password of that user; - is standard input')
		.option('--ca-file <file>', 'PEM file of the authority that signed Kibana’s certificate')
		.option('--wait <seconds>', 'try again for so long while Kibana is not ready', seconds, 0)
		.option('--output <file>', 'write the saved objects into a file (- is standard output) to be imported by hand, and ask nobody')
		.action(async ({ url, space, prefix, wait, output, ...credentials }: KibanaFlags) => {
			if (output !== undefined) return writeObjects(output, prefix, io)
			if (url === undefined)
				throw new KubetapeError('CLI_USAGE', '--url is missing: the address of Kibana, such as https://kibana.example:5601')
			const done = await setupKibana({ address: kibanaAddress(url, credentials), space, prefix, waitMs: wait * 1000 }, systemClock)
			io.stdout(`${done.objects} saved objects are in Kibana: ${done.url}\n`)
		})
}
