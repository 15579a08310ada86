// Which kind a parameter names: of Kubernetes' own, and of those that were recorded.
import { builtIn } from '#records/catalog-built-in.ts'
import { kindsNamed, kindWords, virtualKinds, type KindName } from '#records/kind-names.ts'
import { resourceName } from '#records/object-key.ts'
import { KubetapeError } from '#runtime/errors.ts'
import { nearest } from '#runtime/nearest.ts'
import type { ApiContext } from './context.ts'

const shownMax = 80

const own = new Set(builtIn.map(resourceName))
export const isBuiltIn = (type: KindName): boolean => own.has(resourceName(type))

async function knownKinds(context: ApiContext): Promise<readonly KindName[]> {
	return [...builtIn, ...virtualKinds, ...(await context.store.kinds())]
}

/** The types that a word names, the best known first. Throws NOT_FOUND, with what was probably meant, where nothing is named so. */
export async function typesNamed(context: ApiContext, parameter: string, word: string): Promise<readonly KindName[]> {
	const known = await knownKinds(context)
	const types = kindsNamed(word, known)
	if (types.length > 0) return types
	const shown = word.slice(0, shownMax)
	const near = nearest(shown, kindWords(known))
	throw new KubetapeError('NOT_FOUND', `${parameter}: no kind ${JSON.stringify(shown)} is known${near ? `: did you mean ${near}?` : ''}`, {
		details: { parameter, ...(near ? { nearest: near } : {}) },
	})
}

/** The word as the store knows it: the full resource where one is meant, else the kind or resource that they share. */
export async function storedWord(context: ApiContext, parameter: string, word: string): Promise<string> {
	const types = await typesNamed(context, parameter, word)
	const [first] = types
	if (types.length === 1 && first) return resourceName(first)
	const lower = word.toLowerCase()
	const shared = types.every((type) => type.kind.toLowerCase() === lower) ? lower : first?.resource
	return shared ?? lower
}
