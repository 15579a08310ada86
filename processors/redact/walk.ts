// Redaction of JSON values: what a Secret, a token request or an environment holds, wherever it stands in a body.
import { isRawNumber } from '#records/exact-json.ts'
import { limits } from '#runtime/limits.ts'
import { mayBeDocument, newBudget, redactDocument, redactJson, type Budget } from './document.ts'
import {
	isReference,
	mayHoldSecret,
	namesSecret,
	redactText,
	seal,
	sealBase64,
	secretFlag,
	secretKey,
	words,
	type Hash,
} from './patterns.ts'

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields =>
	typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)

const isNumber = (value: unknown): boolean => typeof value === 'number' || isRawNumber(value)

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const secretKinds = new Set(['Secret', 'SecretList'])
const tokenKinds = new Set(['TokenRequest', 'TokenReview', 'OAuthAccessToken', 'OAuthAuthorizeToken'])
/** Names of variables, as in the data of a ConfigMap. */
const variable = /^[A-Z][A-Z0-9_]*$/
/** Base64 of gzip: what Helm keeps of a release, with all its values. */
const packed = /^H4sI/

/** What is known of the place: inside a Secret all of data is secret, inside a token kind all tokens are. */
export interface Place {
	readonly secret: boolean
	readonly token: boolean
	/** Of the whole body. */
	readonly budget: Budget
}

export function placeAt(secret: boolean, token: boolean): Place {
	return { secret, token, budget: newBudget() }
}

/** Returns the same value where nothing was secret, so that callers keep the bytes they have. Throws RangeError beyond limits.jsonDepthMax. */
export function redactValue(value: unknown, hash: Hash, place: Place = placeAt(false, false), depth = 0): unknown {
	if (depth > limits.jsonDepthMax) throw new RangeError('nested too deeply')
	if (typeof value === 'string') return redactString(value, hash, place, depth)
	if (Array.isArray(value)) return redactList(value, hash, place, depth)
	if (!isFields(value)) return value
	const here = placeOf(value, place)
	let copy: Fields | undefined
	let isRenamed = false
	for (const key in value) {
		const before = value[key]
		const after = redactField(value, key, before, hash, here, depth)
		if (mayHoldSecret(key) && redactText(key, hash) !== key) isRenamed = true
		if (after !== before) {
			copy ??= { ...value }
			copy[key] = after
		}
	}
	return isRenamed ? renamed(copy ?? value, hash) : (copy ?? value)
}

/** A credential can be a key too: a map from tokens to users. */
function renamed(value: Fields, hash: Hash): Fields {
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [redactText(key, hash), item]))
}

function placeOf(value: Fields, place: Place): Place {
	const kind = value['kind']
	if (typeof kind !== 'string') return place
	// With a name beside it, it is mostly a reference.
	const refers = typeof value['name'] === 'string' && !('data' in value) && !('stringData' in value)
	if (secretKinds.has(kind) && !refers) return { ...place, secret: true, token: false }
	if (tokenKinds.has(kind)) return { ...place, secret: false, token: true }
	return place
}

function redactString(text: string, hash: Hash, place: Place, depth: number): string {
	if (mayBeDocument(text, place.secret || place.token))
		return redactDocument(text, hash, place.budget, (value, keeping) => redactValue(value, keeping, place, depth + 1))
	return redactText(text, hash)
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
	const text = typeof value === 'string' ? value : isNumber(value) ? JSON.stringify(value) : ''
	if (text === '' || isReference(text)) return redactValue(value, hash, place, depth + 1)
	if (isSecretName(owner, key, text, place)) return seal(text, hash)
	return key === lastApplied && typeof value === 'string'
		? redactLastApplied(text, hash, place, depth)
		: redactValue(value, hash, place, depth + 1)
}

/** Is the value of `key` secret by what it is called? */
function isSecretName(owner: Fields, key: string, value: string, place: Place): boolean {
	if (place.token && key === 'token') return true
	if (key === 'value' && typeof owner['name'] === 'string') return namesSecret(owner['name'])
	if (key === 'auth') return Buffer.from(value, 'base64').toString('latin1').includes(':')
	if (key === 'release') return packed.test(value)
	return secretKey.test(key) || (variable.test(key) && namesSecret(key))
}

/** Every value below `data`, decoded from base64 where that is its form, so that data and stringData of one value have one hash. */
function hashAll(value: unknown, hash: Hash, base64: boolean): unknown {
	if (isNumber(value)) return hash(JSON.stringify(value))
	if (typeof value === 'string') return base64 ? sealBase64(value, hash) : seal(value, hash)
	if (Array.isArray(value)) return value.map((item) => hashAll(item, hash, base64))
	if (!isFields(value)) return value
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [redactText(key, hash), hashAll(item, hash, base64)]))
}

/** kubectl writes JSON there. What was cut off cannot be told apart, and is hidden whole where it speaks of secrets. */
function redactLastApplied(text: string, hash: Hash, place: Place, depth: number): string {
	const after = redactJson(text, hash, (value) => redactValue(value, hash, place, depth + 1))
	if (after !== undefined) return after
	const isCutOff = /^[ \t\r\n]*[{[]/.test(text) && words.test(text)
	return place.secret || place.token || isCutOff ? seal(text, hash) : redactString(text, hash, place, depth)
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
	const { value, ...about } = step
	const before: unknown = about
	const others = redactValue(about, hash, place, depth + 1)
	if (!('value' in step)) return others === before ? step : others
	const after = redactPatched(step.path, value, hash, place, depth + 1)
	return others === before && after === value ? step : { ...(others as Fields), value: after }
}

/** As a member of the name that the path ends with would be. A variable's name stands in the object only: a value that is put into one is hidden. */
function redactPatched(path: string, value: unknown, hash: Hash, place: Place, depth: number): unknown {
	const parts = path.split('/').slice(1)
	const inData = parts[0] === 'data' || parts[0] === 'stringData'
	if (place.secret && inData) return hashAll(value, hash, parts[0] === 'data')
	if (place.secret && path === '' && isFields(value)) return redactValue({ kind: 'Secret', ...value }, hash, place, depth)
	if (typeof value === 'string' && value !== '' && /\/env\/\d+\/value$/.test(path)) return isReference(value) ? value : seal(value, hash)
	const name = (parts.at(-1) ?? '').replaceAll('~1', '/').replaceAll('~0', '~')
	const member: Fields = Object.fromEntries([[name, value]])
	return redactField(member, name, value, hash, place, depth)
}
