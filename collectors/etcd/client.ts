// One connection to one etcd endpoint: etcd3 gives TLS, authentication and the calls; the watch loop on top is ours (watch.ts).
import { readFileSync } from 'node:fs'
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js'
import { Etcd3, type IOptions, type IRangeRequest, type IRangeResponse, type IWatchRequest, type IWatchResponse } from 'etcd3'
import type { Revision } from '#records/revision.ts'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { EtcdConfig } from './config.ts'

/** Above etcd's own limit of a request (1.5 MiB) times its 128 operations: nothing that etcd may hold is refused here. */
const messageBytesMax = 256 * 1024 * 1024
const keepaliveMs = 20_000
const keepaliveTimeoutMs = 10_000
const callTimeoutMs = 30_000
/** Above the seven seconds after which etcd itself gives up on a request without a leader. */
const headTimeoutMs = 8_000

/** The watch stream as the gRPC library makes it: a Node stream of objects. */
export interface WatchStream extends AsyncIterable<IWatchResponse> {
	write(request: IWatchRequest): boolean
	pause(): unknown
	resume(): unknown
	cancel(): void
	on(event: 'data', listener: (response: IWatchResponse) => void): unknown
	on(event: 'end' | 'close', listener: () => void): unknown
	on(event: 'error', listener: (error: Error) => void): unknown
}

/** The cluster, and how far it is. */
export interface Head {
	readonly clusterId: string
	readonly revision: Revision
}

export interface EtcdClient extends Disposable {
	readonly endpoint: string
	/** Linearizable, so that a member that lags behind cannot answer with an old revision. */
	range(request: IRangeRequest): Promise<IRangeResponse>
	/** The first call to an endpoint: a dead one does not keep it waiting for long. */
	head(prefix: string): Promise<Head>
	watch(): Promise<WatchStream>
}

/** A stream on a member that has lost its leader ends, instead of waiting without end. */
const requireLeader: Interceptor = (options, next) =>
	new InterceptingCall(next(options), {
		start(metadata, listener, proceed) {
			metadata.set('hasleader', 'true')
			proceed(metadata, listener)
		},
	})

function readFile(path: string): Buffer {
	try {
		return readFileSync(path)
	} catch (error) {
		throw new KubetapeError('ETCD_AUTH', `etcd: ${path} cannot be read: ${messageOf(error)}`, { cause: error })
	}
}

function optionsOf(config: EtcdConfig, endpoint: string): IOptions {
	if (config.certFile !== undefined && config.caFile === undefined)
		throw new KubetapeError('CONFIG_INVALID', 'etcd: certFile needs caFile beside it')
	const password = config.passwordFile === undefined ? config.password : readFile(config.passwordFile).toString('utf8').trim()
	const tls = config.caFile !== undefined || config.certFile !== undefined
	return {
		hosts: [tls && !/^https?:/.test(endpoint) ? `https://${endpoint}` : endpoint],
		...(config.caFile === undefined
			? {}
			: {
					credentials: {
						rootCertificate: readFile(config.caFile),
						...(config.keyFile === undefined ? {} : { privateKey: readFile(config.keyFile) }),
						...(config.certFile === undefined ? {} : { certChain: readFile(config.certFile) }),
					},
				}),
		...(config.username === undefined ? {} : { auth: { username: config.username, password: password ?? '' } }),
		grpcOptions: {
			'grpc.max_receive_message_length': messageBytesMax,
			'grpc.keepalive_time_ms': keepaliveMs,
			'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
			'grpc.use_local_subchannel_pool': 1,
		},
		defaultCallOptions: (context) => (context.isStream ? { interceptors: [requireLeader] } : {}),
	}
}

/** Files that do not go together are refused before anything is sent: of a certificate that is exchanged just now, one may be there without the other. */
function clientOf(options: IOptions, endpoint: string): Etcd3 {
	try {
		return new Etcd3(options)
	} catch (error) {
		throw new KubetapeError('ETCD_TLS', `etcd: ${endpoint}: caFile, certFile and keyFile: ${messageOf(error)}`, { cause: error })
	}
}

export function connect(config: EtcdConfig, endpoint: string): EtcdClient {
	const client = clientOf(optionsOf(config, endpoint), endpoint)
	return {
		endpoint,
		range: (request) => inTime(client.kv.range(request), callTimeoutMs, endpoint),
		async head(prefix) {
			const { header } = await inTime(client.kv.range({ ...rangeOf(prefix), limit: 1, keys_only: true }), headTimeoutMs, endpoint)
			return { clusterId: header.cluster_id, revision: BigInt(header.revision) }
		},
		watch: () => inTime(client.watchClient.watch() as unknown as Promise<WatchStream>, headTimeoutMs, endpoint),
		[Symbol.dispose]: () => client.close(),
	}
}

async function inTime<T>(promise: Promise<T>, timeoutMs: number, endpoint: string): Promise<T> {
	let timer: NodeJS.Timeout | undefined
	const late = new Promise<never>((_, reject) => {
		const message = `etcd: ${endpoint} did not answer within ${timeoutMs / 1000} s`
		timer = setTimeout(() => reject(new KubetapeError('ETCD_UNAVAILABLE', message)), timeoutMs)
	})
	try {
		return await Promise.race([promise, late])
	} catch (error) {
		throw etcdError(error, endpoint)
	} finally {
		clearTimeout(timer)
	}
}

const ours = /permission denied|authentication failed|user name is empty|PERMISSION_DENIED|UNAUTHENTICATED/i
/** What Node says of a certificate that it does not trust, and OpenSSL of one that the other side does not (or of a side that speaks no TLS). */
const trust = /verify the first certificate|self-signed certificate|issuer certificate|certificate has expired|altnames|SSL routines/i

/** What etcd and gRPC say, as an error of ours. */
export function etcdError(error: unknown, endpoint?: string): KubetapeError {
	if (error instanceof KubetapeError) return error
	const message = `etcd: ${endpoint === undefined ? '' : `${endpoint}: `}${plain(messageOf(error))}`
	if (/required revision has been compacted/i.test(message)) return new KubetapeError('ETCD_COMPACTED', message, { cause: error })
	if (trust.test(message)) return new KubetapeError('ETCD_TLS', message, { cause: error })
	return new KubetapeError(ours.test(message) ? 'ETCD_AUTH' : 'ETCD_UNAVAILABLE', message, { cause: error })
}

/** Without gRPC's and OpenSSL's traces: what is left can be read, and is the same each time. */
function plain(message: string): string {
	return message
		.replace(/^\d+ [A-Z_]+: /, '')
		.replace('No connection established. Last error: ', '')
		.replace(/\s*\(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, '')
		.replace(/\.?\s*Resolution note: ?$/, '')
		.replace(/; if the root CA is installed locally, try running Node\.js with --use-system-ca/, '')
		.replace(/[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]*):[^\n]*/, 'SSL routines: $1')
		.trim()
}

const endOfKeys = Buffer.from([0])

/** The range of all keys that begin with `prefix`, as etcd wants it. */
export function rangeOf(prefix: string): { readonly key: Buffer; readonly range_end: Buffer } {
	if (prefix === '') return { key: endOfKeys, range_end: endOfKeys }
	const key = Buffer.from(prefix, 'utf8')
	// UTF-8 never ends in 0xff, so the last byte can always be raised.
	const end = Buffer.from(key)
	end[end.length - 1] = (end.at(-1) ?? 0) + 1
	return { key, range_end: end }
}
