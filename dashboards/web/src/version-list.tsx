// The versions of one object, newest first: when, what, who.
import type { WireVersion } from '#api/wire.ts'
import { Actor } from './actor.tsx'
import { Rows } from './rows.tsx'
import { bound, clock } from './time.ts'
import { isNamed, type Versions } from './versions.ts'

const rowHeight = 42

interface VersionListProps {
	readonly versions: Versions
	readonly chosen: string | undefined
	readonly moved: number
	readonly onChoose: (version: WireVersion) => void
	readonly onOlder: () => void
}

export function VersionList({ versions, chosen, moved, onChoose, onOlder }: VersionListProps) {
	const { items, next, busy } = versions
	const index = items.findIndex((version) => isNamed(version, chosen ?? ''))
	const spanMs = items.length > 0 ? Date.parse(items[0]?.time ?? '') - Date.parse(items.at(-1)?.time ?? '') : 0
	return (
		<Rows
			count={items.length}
			height={rowHeight}
			chosen={index}
			keyOf={(at) => items[at]?.id}
			moved={moved}
			class="versions"
			label="Versions, newest first"
			row={(at) => {
				const version = items[at]
				return (
					version && (
						<button
							type="button"
							class={`version ${version.severity}${version.folded ? ' quiet' : ''}`}
							data-focus
							tabIndex={at === Math.max(0, index) ? 0 : -1}
							aria-current={at === index}
							onClick={() => onChoose(version)}
						>
							<span class="time">
								{clock(version.time, spanMs, 3)} <i>{bound(version.timeBoundSeconds)}</i>
							</span>
							<span class="summary" title={version.summary}>
								{version.severity !== 'normal' && (
									<span role="img" aria-label={version.severity}>
										▲{' '}
									</span>
								)}
								{version.summary}
							</span>
							<span class="revision">rev {version.revision}</span>
							<span class="who">
								<Actor actor={version.actor} />
							</span>
						</button>
					)
				)
			}}
		>
			{next !== null && (
				<button type="button" class="more" disabled={busy} onClick={onOlder}>
					{busy ? 'loading …' : 'older versions'}
				</button>
			)}
		</Rows>
	)
}
