// Who made a version, with the tier that says how sure it is.
import type { WireActor } from '#api/wire.ts'
import { isPerson } from './items.ts'

const meaning: Readonly<Record<WireActor['tier'], string>> = {
	exact: 'exact: the answer of this request carried exactly this revision',
	unresolved: 'unresolved: no request proves that it made this revision',
}

/** A user; what belongs to the control plane by the last part of its name only. */
export function User({ name }: { readonly name: string }) {
	if (isPerson(name)) return <b class="human">{name}</b>
	return <span title={name}>{name.replace(/^system:(?:serviceaccount:kube-system:)?/, '')}</span>
}

/** `undefined`: not known yet. `null`: the cluster has no requests recorded. */
export function Actor({ actor, short = false }: { readonly actor: WireActor | null | undefined; readonly short?: boolean }) {
	if (actor === undefined) return null
	if (actor === null) return short ? null : <span class="tier">no requests are recorded: not known</span>
	if (actor.tier === 'unresolved')
		return (
			<span class="tier" title={meaning.unresolved}>
				who: unresolved
			</span>
		)
	return (
		<span class="actor">
			<User name={actor.user} />
			{actor.impersonated !== '' && ` as ${actor.impersonated}`}
			{!short && ` ${actor.verb}${actor.subresource === '' ? '' : ` ${actor.subresource}`}`}{' '}
			<span class="tier exact" title={meaning[actor.tier]}>
				{actor.tier}
			</span>
		</span>
	)
}
