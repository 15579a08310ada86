// Redaction of JSON values: what a Secret, a token request or an environment holds, wherever it stands in a body.
import { limits } from '#runtime/limits.ts'
import { hashPrefix, namesSecret, redactText, secretFlag, secretKey } from './patterns.ts'

export type Hash = (secret: string) => string

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const secretKinds = new Set(['Secret', 'SecretList'])
const tokenKinds = new Set(['TokenRequest', 'TokenReview', 'OAuthAccessToken', 'OAuthAuthorizeToken'])

/** What is known of the place: inside a Secret all of data is secret, inside a token kind all tokens are. */
interface Place {
	readonly secret: boolean
	readonly token: boolean
}

/** Returns the same value where nothing was secret, so that callers keep the bytes they have. Throws RangeError beyond limits.jsonDepthMax. */
export function redactValue(value: unknown, hash: Hash, place: Place = { secret: false, token: false }, depth = 0): unknown {
	if (depth > limits.jsonDepthMax) throw new RangeError('nested too deeply')
	if (typeof value === 'string') return redactText(value, hash)
	if (Array.isArray(value)) return redactList(value, hash, place, depth)
	if (!isFields(value)) return value
	const here = placeOf(value, place)
	let copy: Fields | undefined
	for (const key in value) {
		const before = value[key]
		const after = redactField(value, key, before, hash, here, depth)
		if (after !== before) {
			copy ??= { ...value }
			copy[key] = after
		}
	}
	return copy ?? value
}

function placeOf(value: Fields, place: Place): Place {
	const kind = value['kind']
	if (typeof kind !== 'string') return place
	if (secretKinds.has(kind) && typeof value['name'] !== 'string') return { secret: true, token: false }
	if (tokenKinds.has(kind)) return { secret: false, token: true }
	return place
}

function redactList(list: readonly unknown[], hash: Hash, place: Place, depth: number): unknown {
	let copy: unknown[] | undefined
	list.forEach((before, index) => {
		const previous = index > 0 ? list[index - 1] : undefined
		const flagged =
			typeof before === 'string' &&
			typeof previous === 'string' &&
			secretFlag.test(previous) &&
			!isReference(before) &&
			!/^[-/]/.test(before)
		const after = flagged
			? seal(before, hash)
			: isPatchStep(before)
				? redactPatchStep(before, hash, place, depth)
				: redactValue(before, hash, place, depth + 1)
		if (after !== before) {
			copy ??= [...list]
			copy[index] = after
		}
	})
	return copy ?? list
}

function redactField(owner: Fields, key: string, value: unknown, hash: Hash, place: Place, depth: number): unknown {
	if (place.secret && (key === 'data' || key === 'stringData')) return hashAll(value, hash, key === 'data')
	if (place.token && key === 'token' && typeof value === 'string') return value === '' ? value : seal(value, hash)
	if (key === lastApplied && typeof value === 'string') return redactEmbedded(value, hash, place)
	if (key === 'value' && typeof value === 'string' && value !== '' && typeof owner['name'] === 'string' && namesSecret(owner['name']))
		return seal(value, hash)
	if (typeof value === 'string' && value !== '' && secretKey.test(key) && !isReference(value)) return seal(value, hash)
	return redactValue(value, hash, place, depth + 1)
}

/** A value that is put in at run time: it only names the secret. */
function isReference(value: string): boolean {
	return /^\$[({]|^\{\{/.test(value)
}

function seal(secret: string, hash: Hash): string {
	return secret.startsWith(hashPrefix) ? secret : hash(secret)
}

/** Every value below `data`, decoded from base64 where that is its form, so that data and stringData of one value have one hash. */
function hashAll(value: unknown, hash: Hash, base64: boolean): unknown {
	if (typeof value === 'string') return seal(value.startsWith(hashPrefix) || !base64 ? value : decoded(value), hash)
	if (Array.isArray(value)) return value.map((item) => hashAll(item, hash, base64))
	if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hashAll(item, hash, base64)]))
	return value
}

function decoded(text: string): string {
	const bytes = Buffer.from(text, 'base64')
	return bytes.toString('base64') === text ? bytes.toString('latin1') : text
}

/** JSON inside a string: redacted inside where it parses, hashed whole where it does not. */
function redactEmbedded(text: string, hash: Hash, place: Place): string {
	try {
		const value: unknown = JSON.parse(text)
		const after = redactValue(value, hash, place)
		return after === value ? text : JSON.stringify(after)
	} catch {
		return seal(text, hash) // no JSON: nothing can be told apart in it
	}
}

interface PatchStep extends Fields {
	readonly op: string
	readonly path: string
}

function isPatchStep(value: unknown): value is PatchStep {
	return isFields(value) && typeof value['op'] === 'string' && typeof value['path'] === 'string'
}

/** A step of a JSON Patch: its path says what its value is. */
function redactPatchStep(step: PatchStep, hash: Hash, place: Place, depth: number): unknown {
	if (!('value' in step)) return step
	const parts = step.path.split('/').slice(1)
	const value = step['value']
	const inData = parts[0] === 'data' || parts[0] === 'stringData'
	let after: unknown
	if (place.secret && inData) after = hashAll(value, hash, parts[0] === 'data')
	else if (parts.at(-1)?.replaceAll('~1', '/') === lastApplied && typeof value === 'string') after = redactEmbedded(value, hash, place)
	else if (place.secret && step.path === '' && isFields(value)) after = redactValue({ kind: 'Secret', ...value }, hash, place, depth + 1)
	else if (typeof value === 'string' && secretKey.test(parts.at(-1) ?? '')) after = seal(value, hash)
	else after = redactValue(value, hash, place, depth + 1)
	return after === value ? step : { ...step, value: after }
}
