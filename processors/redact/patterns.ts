// What looks like a credential inside a text, and the cheap test that most texts hold none.

interface Shape {
	readonly name: string
	/** Its first group is kept, its second group is the secret; without groups the whole match is. */
	readonly pattern: RegExp
}

const shapes: readonly Shape[] = [
	{ name: 'private key', pattern: /()(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|$))/g },
	{ name: 'jwt', pattern: /()(\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})/g },
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
	{ name: 'url password', pattern: /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'\\]{0,64}:)([^\s/@"'\\]{3,256})(?=@)/g },
	{ name: 'assignment', pattern: /(\b(?:[A-Za-z0-9_.-]{0,40}(?:password|passwd|secret[_-]?key|client[_-]?secret|api[_-]?key|access[_-]?token|auth[_-]?token))["']?\s*[=:]\s*["']?)([^\s"',;&]{4,256})/gi },
]

/** True where some shape may match: one pass of fixed words, without backtracking. */
const suspicious = /PRIVATE KEY|eyJ|earer |[Bb]asic |AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(?:live|test)_|whsec_|AIza|npm_|hv[sbr]\.|:\/\/[^\s/"'\\]{0,320}@|passw|secret[_-]?key|client[_-]?secret|api[_-]?key|access[_-]?token|auth[_-]?token/i

export function mayHoldSecret(text: string): boolean {
	return suspicious.test(text)
}

/** The text with every credential replaced by what `hash` makes of it. */
export function redactText(text: string, hash: (secret: string) => string): string {
	if (!suspicious.test(text)) return text
	let result = text
	for (const { pattern } of shapes) result = result.replace(pattern, (whole: string, kept: string, secret: string) => (secret.startsWith(hashPrefix) ? whole : kept + hash(secret)))
	return result
}

/** What stands in the place of a secret begins so. */
export const hashPrefix = 'kubetape:hmac:'

/** A setting of this name with a literal value is a secret. */
export const secretName = /passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential/i
