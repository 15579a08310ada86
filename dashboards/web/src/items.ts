// What one record says about itself: who was behind it, what it is about, and whether it is wanted or only noticed.
import type { WireItem, WireObject } from '#api/wire.ts'

const controllers = /^system:(?:serviceaccount:kube-system|node|kube-|apiserver|kwok)/

/** A person or a pipeline, not a part of the control plane. */
export function isHuman(item: WireItem): boolean {
	return item.kind === 'audit' && item.audit !== undefined && isPerson(item.audit.user)
}

export function isPerson(user: string): boolean {
	return user !== '' && !controllers.test(user)
}

const mutating = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

export function isWrite(item: WireItem): boolean {
	return mutating.has(item.audit?.verb ?? '')
}

/** Answered well, and meant: no dry run. */
export function wasDone(item: WireItem): boolean {
	return item.audit !== undefined && item.audit.code < 400 && !item.audit.dryRun
}

/** A change of what is wanted: created, deleted, or its spec or data. Status follows by itself. */
export function isWanted(item: WireItem): boolean {
	if (item.kind !== 'change') return false
	return item.operation !== 'updated' || (item.facets?.some((facet) => facet === 'spec' || facet === 'data') ?? false)
}

export const isLoud = (item: WireItem): boolean => item.severity !== 'normal'

/** `shop/checkout`, or `node-a` for what has no namespace. */
export function nameOf(object: WireObject): string {
	return [object.namespace, object.name].filter((part) => part !== '').join('/')
}

/** An object key in its parts; the name may contain slashes. */
export function partsOf(key: string): { readonly resource: string; readonly namespace: string; readonly name: string } {
	const [resource = '', namespace = '', ...name] = key.split('/')
	return { resource, namespace: namespace === '-' ? '' : namespace, name: name.join('/') }
}

/** In one word what a warning is: `BackOff`, `CrashLoopBackOff`, `ProgressDeadlineExceeded`; else how it reads. */
export function reasonOf(item: WireItem): string {
	if (item.event) return item.event.reason
	const word = /waiting: (\w+)/.exec(item.summary) ?? /ended: (\w+)/.exec(item.summary) ?? /\(([A-Z]\w{4,})\)/.exec(item.summary)
	return word?.[1] ?? item.summary.slice(0, 60)
}

const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic']
const stageOf = ({ audit }: WireItem): number => stages.indexOf(audit?.stage ?? '')
/** A client may send the same Audit-ID again: the time at which its request came in tells them apart. */
const requestOf = ({ cluster, audit }: WireItem): string => `${cluster} ${audit?.auditID} ${audit?.requestReceived}`

/** The records without those stages of a request that a later one of it follows: that one says how it ended. */
export function oneEachRequest(items: readonly WireItem[]): readonly WireItem[] {
	const last = new Map<string, WireItem>()
	for (const item of items) {
		if (!item.audit) continue
		const known = last.get(requestOf(item))
		if (!known || stageOf(item) > stageOf(known)) last.set(requestOf(item), item)
	}
	return items.filter((item) => !item.audit || last.get(requestOf(item)) === item)
}

/** One entry per request. */
export const requestsOf = (items: readonly WireItem[]): readonly WireItem[] => oneEachRequest(items).filter((item) => item.audit)
