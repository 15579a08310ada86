// The socket that audit batches come in by: plain, TLS, or TLS that knows its clients by their certificates.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import type { AuditWebhookConfig } from './config.ts'

/** Peers beyond are not heard: an API server comes again. */
const connectionsMax = 1000
/** Requests are looked at so often, whether they take too long. */
const common = { connectionsCheckingInterval: 1000 } as const

/** Throws CONFIG_INVALID or CONFIG_UNREADABLE. */
export function createListener(config: AuditWebhookConfig, listener: RequestListener): Server {
	const server = create(config, listener)
	server.maxConnections = connectionsMax
	return server
}

function create(config: AuditWebhookConfig, listener: RequestListener): Server {
	if (config.certFile === undefined && config.keyFile === undefined) {
		if (config.clientCaFile !== undefined)
			throw new KubetapeError('CONFIG_INVALID', 'webhook.clientCaFile needs webhook.certFile and webhook.keyFile')
		if (config.clientNames !== undefined) throw new KubetapeError('CONFIG_INVALID', 'webhook.clientNames needs webhook.clientCaFile')
		return createServer(common, listener)
	}
	if (config.clientNames !== undefined && config.clientCaFile === undefined)
		throw new KubetapeError('CONFIG_INVALID', 'webhook.clientNames needs webhook.clientCaFile')
	if (config.certFile === undefined || config.keyFile === undefined)
		throw new KubetapeError('CONFIG_INVALID', 'webhook.certFile and webhook.keyFile go together')
	const read = (path: string): Buffer => {
		try {
			return readFileSync(path)
		} catch (error) {
			throw new KubetapeError('CONFIG_UNREADABLE', `webhook: ${messageOf(error)}`, { cause: error })
		}
	}
	const client = config.clientCaFile === undefined ? {} : { ca: read(config.clientCaFile), requestCert: true, rejectUnauthorized: true }
	const options = { ...common, cert: read(config.certFile), key: read(config.keyFile), minVersion: 'TLSv1.2', ...client } as const
	try {
		return createTlsServer(options, listener)
	} catch (error) {
		throw new KubetapeError('CONFIG_INVALID', `webhook: the certificate or its key cannot be used: ${messageOf(error)}`, { cause: error })
	}
}

/** Throws RUNTIME_PORT_TAKEN or RUNTIME_NO_PERMISSION. */
export async function listen(server: Server, config: AuditWebhookConfig): Promise<void> {
	try {
		server.listen(config.port, config.host)
		await once(server, 'listening')
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException
		const known = code === 'EADDRINUSE' ? 'RUNTIME_PORT_TAKEN' : code === 'EACCES' ? 'RUNTIME_NO_PERMISSION' : undefined
		throw known ? new KubetapeError(known, `webhook: ${config.host}:${config.port}: ${messageOf(error)}`, { cause: error }) : error
	}
}

/** The common name of the client's certificate, which the authority has vouched for; empty where it has none. */
export function clientNameOf(socket: Socket): string {
	const name = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined
	return typeof name === 'string' ? name : ''
}
