// Certificates for tests, made by openssl: authorities, and what they signed.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
	readonly certFile: string
	readonly keyFile: string
	readonly cert: Buffer
	readonly key: Buffer
}

const openssl = (dir: string, ...args: readonly string[]): Buffer =>
	execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })

function read(dir: string, name: string): Certificate {
	const [certFile, keyFile] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)]
	return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) }
}

export function createAuthority(dir: string, name: string): Certificate {
	openssl(
		dir,
		'req',
		'-x509',
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:prime256v1',
		'-nodes',
		'-keyout',
		`${name}.key`,
		'-subj',
		`/CN=${name}`,
		'-days',
		'2',
		'-out',
		`${name}.crt`,
	)
	return read(dir, name)
}

/** For 127.0.0.1, as server and as client. */
export function createCertificate(dir: string, name: string, authority: string): Certificate {
	openssl(
		dir,
		'req',
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:prime256v1',
		'-nodes',
		'-keyout',
		`${name}.key`,
		'-subj',
		`/CN=${name}`,
		'-out',
		`${name}.csr`,
	)
	writeFileSync(join(dir, 'extensions'), 'extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=IP:127.0.0.1\n')
	openssl(
		dir,
		'x509',
		'-req',
		'-in',
		`${name}.csr`,
		'-CA',
		`${authority}.crt`,
		'-CAkey',
		`${authority}.key`,
		'-CAcreateserial',
		'-days',
		'2',
		'-extfile',
		'extensions',
		'-out',
		`${name}.crt`,
	)
	return read(dir, name)
}
