// What looks like a credential inside a text, and the cheap test that most texts hold none.

interface Shape {
	readonly name: string
	/** Its first group is kept, its second group is the secret; without groups the whole match is. */
	readonly pattern: RegExp
}

/** Ends of the names of settings whose value is a secret wherever it is written. */
const assigned = /(?:password|passwd|passphrase|secret[_-]?key|client[_-]?secret|api[_-]?key|access[_-]?token|auth[_-]?token)/
/** Such a value only says where the secret is. */
const reference = /\$[({]|\{\{|(?:null|true|false|none)\b/

const shapes: readonly Shape[] = [
	{
		name: 'private key',
		pattern: /()(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|$))/g,
	},
	{ name: 'jwt', pattern: /()((?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})/g },
	{ name: 'bearer', pattern: /(\b[Bb]earer\s+)([A-Za-z0-9._~+/-]{12,}=*)/g },
	{ name: 'basic', pattern: /(\b[Aa]uthorization["']?\s*[:=]\s*["']?[Bb]asic\s+)([A-Za-z0-9+/]{8,}=*)/g },
	{ name: 'aws', pattern: /()(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)/g },
	{ name: 'github', pattern: /()(\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}))/g },
	{ name: 'gitlab', pattern: /()(\bglpat-[A-Za-z0-9_-]{16,})/g },
	{ name: 'slack', pattern: /()(\bxox[abeoprs]-[A-Za-z0-9-]{10,})/g },
	{ name: 'stripe', pattern: /()(\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,})/g },
	{ name: 'webhook', pattern: /()(\bwhsec_[A-Za-z0-9+/=]{16,})/g },
	{ name: 'google', pattern: /()(\bAIza[A-Za-z0-9_-]{30,})/g },
	{ name: 'npm', pattern: /()(\bnpm_[A-Za-z0-9]{30,})/g },
	{ name: 'vault', pattern: /()(\bhv[sbr]\.[A-Za-z0-9_-]{20,})/g },
	{ name: 'url password', pattern: /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'\\]{0,64}:)([^\s/"'\\]{1,256})(?=@)/gi },
	{
		name: 'quoted assignment',
		pattern: new RegExp(`(${assigned.source}\\\\{0,3}["'][ \\t]*[=:][ \\t]*\\\\{0,3}")([^"\\\\]{1,256})(?=\\\\{0,3}")`, 'gi'),
	},
	{
		name: 'assignment',
		pattern: new RegExp(`(${assigned.source}\\\\{0,3}["']?[ \\t]*[=:][ \\t]*["']?)(?!${reference.source})([^\\s"',;&]{4,256})`, 'gi'),
	},
]

/** True where some shape may match: one pass of fixed words, without backtracking. */
const suspicious =
	/PRIVATE KEY|eyJ|earer[\s\\]|[Bb]asic[\s\\]|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(?:live|test)_|whsec_|AIza|npm_|hv[sbr]\.|:\/\/[^\s/"'\\]{0,400}@/
const suspiciousWord = /passw|passphrase|secret[_-]?key|client[_-]?secret|api[_-]?key|access[_-]?token|auth[_-]?token/i

export function mayHoldSecret(text: string): boolean {
	return suspicious.test(text) || suspiciousWord.test(text)
}

/** The text with every credential replaced by what `hash` makes of it. */
export function redactText(text: string, hash: (secret: string) => string): string {
	if (!mayHoldSecret(text)) return text
	let result = text
	for (const { pattern } of shapes)
		result = result.replace(pattern, (whole: string, kept: string, secret: string) =>
			secret.startsWith(hashPrefix) ? whole : kept + hash(secret),
		)
	return result
}

/** What stands in the place of a secret begins so. */
export const hashPrefix = 'kubetape:hmac:'

/** A setting of this name with a literal value is a secret. */
const secretName = /passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential|authorization|cookie/i
/** But not one that tells where it is, how long it holds or whether there is one. */
const aboutSecret = /(?:file|path|dir|name|ttl|expiration|expiry|seconds|enabled|type)$/i

export function namesSecret(name: string): boolean {
	return secretName.test(name) && !aboutSecret.test(name)
}

/** Keys whose string value is a secret in any object. `secretKey` is none: it mostly names an entry of a Secret. */
export const secretKey = /(?:password|passwd|passphrase|client[_-]?secret|api[_-]?key|access[_-]?token|auth[_-]?token)$/i

/** An argument of a command line that is followed by a secret. */
export const secretFlag = /^--?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|private-?key)$/i
