// The versions of one object, newest first, page by page; further pages until the wanted revision is among them.
import { useCallback, useEffect, useState } from 'preact/hooks'
import type { WireVersion } from '#api/wire.ts'
import { api, mayPass } from './api.ts'
import { useRetry } from './retry.ts'

const pageVersions = 200
/** Pages read by themselves to find a revision that a link names. */
const searchPagesMax = 10

export interface Versions {
	readonly items: readonly WireVersion[]
	readonly next: string | null
	readonly busy: boolean
	readonly problem: string
	/** So often in a row, where it may be otherwise when it is asked again. */
	readonly failures?: number
}

interface Named {
	readonly revision?: string
	readonly space?: string
}

/** A version as the address names it: `50`, or `50@SPACE` where there are several revision spaces and the same number may mean another version. */
export const versionName = ({ revision = '', space = '' }: Named, several: boolean): string =>
	several && space !== '' ? `${revision}@${space}` : revision

export const isNamed = (version: Named, name: string): boolean =>
	name !== '' && (name === version.revision || name === versionName(version, true))

/** As parameters of the API, which takes the newest space where none is named. */
export function partsOfName(name: string): { readonly revision: string; readonly inSpace: { readonly space?: string } } {
	const at = name.indexOf('@')
	return at < 0 ? { revision: name, inSpace: {} } : { revision: name.slice(0, at), inSpace: { space: name.slice(at + 1) } }
}

const none: Versions = { items: [], next: null, busy: true, problem: '' }

/** `newest`: when it changes, versions newer than those held are asked for. */
export function useVersions(path: string, revision: string, newest: string): Versions & { readonly older: () => void } {
	const [state, setState] = useState<Versions & { readonly path: string; readonly sought: string }>({ ...none, path: '', sought: '' })
	const [seek, setSeek] = useState('')
	const [pages, setPages] = useState({ path, count: 1 })
	const wanted = pages.path === path ? pages.count : 1
	const held = state.path === path ? state : { ...none, path, sought: '' }
	const retry = useRetry(held.failures ?? 0)
	useEffect(() => {
		const stop = new AbortController()
		const load = async (): Promise<void> => {
			const items: WireVersion[] = []
			let cursor: string | null = ''
			for (let page = 0; cursor !== null; page++) {
				const found = revision === '' || items.some((item) => isNamed(item, revision))
				if (page >= wanted && (found || page >= searchPagesMax)) break
				const query: Record<string, string> = { limit: String(pageVersions), order: 'desc', ...(cursor === '' ? {} : { cursor }) }
				const answer: { items: readonly WireVersion[]; next: string | null } = await api.history(path, query, stop.signal)
				items.push(...answer.items)
				cursor = answer.next
				const next = cursor
				setState((before) => {
					// Asked again, the list does not shrink while its pages come in.
					const shorter = before.path === path && before.items.length > items.length && next !== null
					return shorter ? { ...before, busy: true } : { path, items: [...items], next, busy: true, problem: '', sought: revision }
				})
			}
			setState({ path, items, next: cursor, busy: false, problem: '', sought: revision })
		}
		load().catch((error: Error) => {
			if (!stop.signal.aborted)
				setState((before) => ({
					...(before.path === path ? before : { ...none, path, sought: revision }),
					busy: false,
					problem: error.message,
					failures: mayPass(error) ? (before.failures ?? 0) + 1 : 0,
				}))
		})
		return () => stop.abort()
		// Moving among the versions that are held asks for nothing.
	}, [path, wanted, newest, seek, retry])
	// A link to a version that is not held, followed within the page: sought once.
	const lacking = !held.busy && held.problem === '' && held.sought !== revision && revision !== ''
	const lost = lacking && !held.items.some((item) => isNamed(item, revision))
	useEffect(() => {
		if (lost) setSeek(`${path}@${revision}`)
	}, [lost, path, revision])
	const older = useCallback(() => setPages({ path, count: Math.ceil(held.items.length / pageVersions) + 1 }), [path, held.items.length])
	return { ...held, older }
}
