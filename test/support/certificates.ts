// Authorities and certificates for tests, made by openssl in a folder of the test.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const program = 'openssl'
const curve = ['-pkeyopt', 'ec_paramgen_curve:prime256v1']

/** Standard output. */
export function openssl(args: readonly string[], input?: Uint8Array): Buffer {
	return execFileSync(program, args, { input, stdio: ['pipe', 'pipe', 'ignore'] })
}

export interface CertificateFiles {
	readonly cert: string
	readonly key: string
}

/** A certificate authority: `dir`/`name`.crt and .key. */
export function makeAuthority(dir: string, name: string): CertificateFiles {
	const files = { cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) }
	openssl([
		'req',
		'-x509',
		'-newkey',
		'ec',
		...curve,
		'-nodes',
		'-keyout',
		files.key,
		'-subj',
		`/CN=${name}`,
		'-days',
		'2',
		'-out',
		files.cert,
	])
	return files
}

const loopback = 'DNS:localhost,IP:127.0.0.1'

/** A certificate for client and server, signed by `authority`. */
export function makeCertificate(dir: string, name: string, authority: CertificateFiles, names = loopback): CertificateFiles {
	const files = { cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) }
	const request = openssl(['req', '-new', '-newkey', 'ec', ...curve, '-nodes', '-keyout', files.key, '-subj', `/CN=${name}`])
	const extensions = join(dir, `${name}.ext`)
	writeFileSync(extensions, `extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=${names}\n`)
	const signed = ['-CA', authority.cert, '-CAkey', authority.key, '-set_serial', String(Date.now()), '-days', '2', '-extfile', extensions]
	openssl(['x509', '-req', ...signed, '-out', files.cert], request)
	return files
}

/** A certificate request in PEM; its key is thrown away. */
export function makeRequest(dir: string): Buffer {
	return openssl(['req', '-new', '-newkey', 'ec', ...curve, '-nodes', '-keyout', join(dir, 'request.key'), '-subj', '/'])
}
