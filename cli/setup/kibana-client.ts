// Asks Kibana over HTTP: one request, its answer whatever the status; what goes wrong below HTTP is the program's own error.
import { readFileSync } from 'node:fs'
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { text as textFrom } from 'node:stream/consumers'
import { KubetapeError, messageOf } from '#runtime/errors.ts'

export interface KibanaAddress {
	/** Of Kibana, with the base path that it may have, without the space. */
	readonly url: URL
	/** What goes into the header `authorization`; absent where nothing is asked for. */
	readonly authorization?: string
	/** Authorities that are trusted in place of the system's, PEM. */
	readonly ca?: string
}

export interface KibanaAnswer {
	readonly status: number
	readonly headers: IncomingMessage['headers']
	readonly text: string
}

interface Body {
	readonly type: string
	readonly bytes: Buffer
}

const answerMs = 60_000
const untrusted = /certificate|self.signed|unable to verify|altname|TLS|SSL|EPROTO|CERT_/i

/** Rejects with KIBANA_UNAVAILABLE where no answer comes, KIBANA_TLS where the two do not trust each other. */
export async function askKibana(address: KibanaAddress, method: 'GET' | 'POST', path: string, body?: Body): Promise<KibanaAnswer> {
	const url = new URL(address.url)
	const [pathname = '', query = ''] = path.split('?')
	url.pathname = `${url.pathname.replace(/\/+$/, '')}${pathname}`
	url.search = query
	const options: RequestOptions & { readonly ca?: string } = {
		method,
		signal: AbortSignal.timeout(answerMs),
		headers: {
			accept: 'application/json',
			// Kibana refuses writes without it (server.xsrf), as browsers do not send it to strangers.
			'kbn-xsrf': 'kubetape',
			...(address.authorization === undefined ? {} : { authorization: address.authorization }),
			...(body === undefined ? {} : { 'content-type': body.type, 'content-length': String(body.bytes.length) }),
		},
		...(address.ca === undefined ? {} : { ca: address.ca }),
	}
	try {
		const answer = await new Promise<IncomingMessage>((resolve, reject) => {
			const asked = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, options, resolve)
			asked.on('error', reject)
			asked.end(body?.bytes)
		})
		return { status: answer.statusCode ?? 0, headers: answer.headers, text: await textFrom(answer) }
	} catch (error) {
		throw belowHttp(error, address.url)
	}
}

function belowHttp(error: unknown, url: URL): KubetapeError {
	const message = messageOf(error)
	const code = String((error as NodeJS.ErrnoException).code)
	if (untrusted.test(message) || untrusted.test(code))
		return new KubetapeError(
			'KIBANA_TLS',
			`${url.origin}: ${message}: name its authority with --ca-file, and the host as its certificate does`,
			{
				cause: error,
			},
		)
	return new KubetapeError('KIBANA_UNAVAILABLE', `Kibana does not answer at ${url.origin} (${message || code})`, { cause: error })
}

/** A form with one file in it, as RFC 7578 has it. Kibana tells the kind of a file by its name. */
export function fileForm(name: string, file: string, content: string): Body {
	const boundary = 'kubetape-7b1f0f4e2c1a4d0e'
	const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${file}"\r\nContent-Type: application/ndjson\r\n\r\n`
	return { type: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.from(`${head}${content}\r\n--${boundary}--\r\n`) }
}

export interface Credentials {
	readonly apiKeyFile?: string
	readonly username?: string
	readonly passwordFile?: string
	readonly caFile?: string
}

function contentOf(flag: string, path: string): string {
	try {
		return readFileSync(path === '-' ? 0 : path, 'utf8').trim()
	} catch (error) {
		throw new KubetapeError('CONFIG_UNREADABLE', `${flag}: ${messageOf(error)}`, { cause: error })
	}
}

/** Throws CLI_USAGE where the address or the combination of flags is wrong, CONFIG_UNREADABLE where a file cannot be read. Nothing is sent. */
export function kibanaAddress(text: string, { apiKeyFile, username, passwordFile, caFile }: Credentials): KibanaAddress {
	const url = URL.parse(text)
	if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.search !== '' || url.hash !== '')
		throw new KubetapeError('CLI_USAGE', `--url ${text}: an address such as https://kibana.example:5601, without user and password`)
	if (apiKeyFile !== undefined && username !== undefined)
		throw new KubetapeError('CLI_USAGE', '--api-key-file and --username exclude each other')
	if ((username === undefined) !== (passwordFile === undefined))
		throw new KubetapeError('CLI_USAGE', '--username and --password-file go together')
	const authorization =
		apiKeyFile !== undefined
			? `ApiKey ${contentOf('--api-key-file', apiKeyFile)}`
			: username !== undefined && passwordFile !== undefined
				? `Basic ${Buffer.from(`${username}:${contentOf('--password-file', passwordFile)}`).toString('base64')}`
				: undefined
	return {
		url,
		...(authorization === undefined ? {} : { authorization }),
		...(caFile === undefined ? {} : { ca: contentOf('--ca-file', caFile) }),
	}
}
