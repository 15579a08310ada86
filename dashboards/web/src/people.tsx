// What people did: their writes in order, with what came of them.
import type { WireItem } from '#api/wire.ts'
import type { Act } from './acts.ts'
import { nameOf } from './items.ts'
import { clock, plural } from './time.ts'

const actsMax = 300
const done: Readonly<Record<string, string>> = {
	create: 'created',
	update: 'updated',
	patch: 'patched',
	delete: 'deleted',
	deletecollection: 'deleted a collection of',
}

interface PeopleProps {
	readonly acts: readonly Act[]
	/** Undefined: nothing is known of this range. */
	readonly audited: boolean | undefined
	readonly spanMs: number
	readonly onOpen: (item: WireItem) => void
}

export function People({ acts, audited, spanMs, onOpen }: PeopleProps) {
	return (
		<section class="acts" aria-label="What people did" tabIndex={0}>
			<h2>What people did</h2>
			<ol>
				{acts.slice(-actsMax).map((act) => (
					<ActLine key={act.item.id} act={act} spanMs={spanMs} onOpen={onOpen} />
				))}
			</ol>
			{acts.length > actsMax && (
				<p class="none">
					the newest {actsMax} of {plural(acts.length, 'act')}
				</p>
			)}
			{acts.length === 0 && audited !== undefined && (
				<p class="none">{audited ? 'No write of a person in this range.' : 'No requests are recorded in this range.'}</p>
			)}
		</section>
	)
}

function ActLine({ act, spanMs, onOpen }: { readonly act: Act; readonly spanMs: number; readonly onOpen: (item: WireItem) => void }) {
	const { item, count, change } = act
	const { audit, object } = item
	const [verb, code] = [audit?.verb ?? '', audit?.code ?? 0]
	const refused = code === 403 || code === 401
	return (
		<li class={item.severity}>
			<button type="button" onClick={() => onOpen(change ?? item)} disabled={!object?.name}>
				<time>{clock(item.time, spanMs)}</time> <b class="human">{audit?.user}</b>
				{audit?.impersonated ? ` as ${audit.impersonated}` : ''}{' '}
				{code >= 400 ? (
					<>
						<b class="failed">{refused ? 'was refused' : `failed (${code})`}</b> to {verb}
					</>
				) : (
					(done[verb] ?? verb)
				)}
				{audit?.subresource ? ` ${audit.subresource} of` : ''} {object && `${object.resource} ${nameOf(object)}`}
				{count > 1 && <b> and {plural(count - 1, 'more request')} at once</b>}
				{change !== undefined && <span class="came">{change.summary}</span>}
			</button>
		</li>
	)
}
