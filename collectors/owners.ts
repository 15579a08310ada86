// Owner references by uid, so that the chain of an object can be followed as of now: bounded in number.
import type { OwnerRef } from '#records/record.ts'

const ownersMax = 100_000
const ownerDepthMax = 8

type Fields = Readonly<Record<string, unknown>>
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export interface Owners {
	/** Takes in what the object says of its owner (or forgets it when it has gone) and gives the chain, nearest first. */
	chain(uid: string, references: unknown, gone: boolean): readonly OwnerRef[]
}

export function createOwners(): Owners {
	const known = new Map<string, OwnerRef>()
	return {
		chain(uid, references, gone) {
			const owner = controllerOf(references)
			known.delete(uid)
			if (owner && uid !== '' && !gone) known.set(uid, owner)
			if (known.size > ownersMax) known.delete(known.keys().next().value ?? '')
			const chain: OwnerRef[] = []
			for (
				let next = owner;
				next && chain.length < ownerDepthMax && !chain.some((earlier) => earlier.uid === next?.uid);
				next = known.get(next.uid)
			)
				chain.push(next)
			return chain
		},
	}
}

function controllerOf(references: unknown): OwnerRef | undefined {
	if (!Array.isArray(references)) return undefined
	const all = references.filter((reference): reference is Fields => typeof reference === 'object' && reference !== null)
	const chosen = all.find((reference) => reference['controller'] === true) ?? all[0]
	return (
		chosen && { apiVersion: text(chosen['apiVersion']), kind: text(chosen['kind']), name: text(chosen['name']), uid: text(chosen['uid']) }
	)
}
