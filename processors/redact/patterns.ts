// What looks like a credential inside a text, and the cheap test that most texts hold none. Whatever matches here must be found by the scan of scan.ts too.

/** A keyed hash of a secret: of its bytes, or of a text's UTF-8. */
export type Hash = (secret: string | Uint8Array) => string

/** Ends of the names of settings whose value is a secret wherever it is written. */
const assigned =
	/(?:password|passwd|passphrase|secret[_-]?(?:access[_-]?)?key|client[_-]?secret|api[_-]?key|private[_-]?key|access[_-]?token|auth[_-]?token)/
/** Such a value only says where the secret is. */
const reference = /\$[({]|\{\{|(?:null|true|false|none)\b/

/** Of each, the first group is kept and the second is the secret. */
const shapes: readonly RegExp[] = [
	/()(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|$))/g,
	// JSON web tokens: header and claims in base64url, both objects
	/()((?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})/g,
	/(\b[Bb]earer[ \t\r\n]+)([A-Za-z0-9._~+/-]{12,}=*)/g,
	/(\b[Aa]uthorization["']?[ \t]*[:=][ \t]*["']?[Bb]asic[ \t\r\n]+)([A-Za-z0-9+/]{8,}=*)/g,
	// AWS access keys, GitHub, GitLab, Slack, Stripe, webhook signing keys, Google, npm, Vault
	/()(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)/g,
	/()(\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}))/g,
	/()(\bglpat-[A-Za-z0-9_-]{16,})/g,
	/()(\bxox[abeoprs]-[A-Za-z0-9-]{10,})/g,
	/()(\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,})/g,
	/()(\bwhsec_[A-Za-z0-9+/=]{16,})/g,
	/()(\bAIza[A-Za-z0-9_-]{30,})/g,
	/()(\bnpm_[A-Za-z0-9]{30,})/g,
	/()(\bhv[sbr]\.[A-Za-z0-9_-]{20,})/g,
	// SendGrid, OpenAI and Anthropic, Docker Hub, Grafana, Hugging Face, PyPI, OpenShift, age
	/()(\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})/g,
	/()(\bsk-(?:proj|ant|svcacct|admin)-[A-Za-z0-9_-]{20,})/g,
	/()(\bdckr_pat_[A-Za-z0-9_-]{20,})/g,
	/()(\bglsa_[A-Za-z0-9_]{20,})/g,
	/()(\bhf_[A-Za-z0-9]{30,})/g,
	/()(\bpypi-AgE[A-Za-z0-9_-]{20,})/g,
	/()(\bsha256~[A-Za-z0-9_-]{40,})/g,
	/()(\bAGE-SECRET-KEY-1[A-Z0-9]{20,})/g,
	// Slack's incoming webhooks, Azure's connection strings, signed URLs and tokens in queries
	/(slack\.com\/services\/)([A-Za-z0-9/_-]{16,})/gi,
	/(\b(?:AccountKey|SharedAccessKey)[ \t]*=[ \t]*)([A-Za-z0-9+/]{20,}=*)/gi,
	/([?&](?:token|secret|sig|signature|x-amz-signature|x-amz-security-token)=)([^&\s"'\\#]{8,})/gi,
	/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'\\]{0,64}:)([^\s/"'\\]{1,256})(?=@)/gi,
	// Settings: quoted, bare, flags, and variables of a shell
	new RegExp(`(${assigned.source}\\\\{0,3}["'][ \\t]*[=:][ \\t]*\\\\{0,3}")([^"\\\\]{1,256})(?=\\\\{0,3}")`, 'gi'),
	new RegExp(`(${assigned.source}\\\\{0,3}["']?[ \\t]*[=:][ \\t]*["']?)(?!${reference.source})([^\\s"',;&]{4,256})`, 'gi'),
	new RegExp(
		`((?<![\\w.-])--?[\\w.-]{0,64}(?:passwd|password|passphrase|secret|token|api-?key|private-?key)(?:=| +)["']?)(?!${reference.source}|[-/])([^\\s"',;&]{4,256})`,
		'gi',
	),
	new RegExp(`(\\b[A-Z0-9_]{0,64}(?:TOKEN|SECRET|CREDENTIAL|CREDENTIALS)=["']?)(?!${reference.source}|/)([^\\s"',;&]{4,256})`, 'g'),
]

/** True where some shape may match: one pass of fixed words, without backtracking. */
const suspicious =
	/PRIVATE KEY|eyJ|earer[ \t\r\n]|[Bb]asic[ \t\r\n]|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(?:live|test)_|whsec_|AIza|npm_|hv[sbr]\.|SG\.|sk-[pas]|dckr_|glsa_|hf_|pypi-|sha256~|AGE-|:\/\/[^\s/"'\\]{0,400}@/
const suspiciousWord =
	/passw|passphrase|secret|token|api[_-]?key|private[_-]?key|credential|slack\.com|accountkey|sharedaccesskey|sig(?:nature)?=/i
const shortestSecret = 8

export function mayHoldSecret(text: string): boolean {
	return text.length >= shortestSecret && (suspicious.test(text) || suspiciousWord.test(text))
}

/** The text with every credential replaced by what `hash` makes of it. */
export function redactText(text: string, hash: Hash): string {
	if (!mayHoldSecret(text)) return text
	let result = text
	for (const pattern of shapes)
		result = result.replace(pattern, (whole: string, kept: string, secret: string) =>
			secret.startsWith(hashPrefix) ? whole : kept + hash(secret),
		)
	return result
}

/** Words without which no document holds a secret that only its structure tells. */
export const words = /passw|passphrase|secret|token|api[_-]?key|private[_-]?key|credential|authorization|cookie|auth["'\\]/i

/** The kind of a Secret in a text, at any level of JSON or as YAML. */
export const tellsOfSecret = /kind[\\"']{0,16}[ \t]{0,16}:[ \t]{0,16}[\\"']{0,16}Secret/

/** What stands in the place of a secret begins so. */
export const hashPrefix = 'kubetape:hmac:'

/** What is hashed already stays. */
export function seal(secret: string, hash: Hash): string {
	return secret.startsWith(hashPrefix) ? secret : hash(secret)
}

/** As `seal`, of what the base64 says, so that a value has one hash in both forms; of the text where it is no base64. */
export function sealBase64(text: string, hash: Hash): string {
	if (text.startsWith(hashPrefix)) return text
	const bytes = Buffer.from(text, 'base64')
	return hash(bytes.toString('base64') === text ? bytes : text)
}

/** A value that is put in at run time only names the secret. */
export function isReference(value: string): boolean {
	return /^\$[({]|^\{\{/.test(value)
}

/** A setting of this name with a literal value is a secret. */
const secretName = /passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential|authorization(?!\.k8s\.io)|cookie/i
/** But not one that tells where it is, how long it holds or whether there is one. */
const aboutSecret = /(?:file|path|dir|name|ttl|expiration|expiry|seconds|enabled|type)$/i

export function namesSecret(name: string): boolean {
	return secretName.test(name) && !aboutSecret.test(name) && !name.includes('"')
}

/** Keys whose string value is a secret in any object. `secretKey` and `secret` are none: they mostly name a Secret or an entry of one. */
export const secretKey =
	/(?:password|passwd|passphrase|client[_-]?secret|api[_-]?key|token|private[_-]?key|secret[_-]?access[_-]?key|authorization|cookie)$/i

/** An argument of a command line that is followed by a secret. */
export const secretFlag = /^--?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api-?key|private-?key)$/i
