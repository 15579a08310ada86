// The whole object at one revision, as YAML: only the lines in sight exist, all of them can be copied.
import { useMemo, useState } from 'preact/hooks'
import type { WireState } from '#api/wire.ts'
import { Rows } from './rows.tsx'
import { plural } from './time.ts'
import { yamlLines } from './yaml.ts'

const lineHeight = 18
const lineCharsMax = 2000

async function copy(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text)
		return true
	} catch {
		// Refused, or no secure context: the old way still may do.
		const area = document.createElement('textarea')
		area.value = text
		document.body.append(area)
		area.select()
		const done = document.execCommand('copy')
		area.remove()
		return done
	}
}

/** Of a line that is cut it is said how much is missing; what is copied is whole. */
function shownOf(line: string): string {
	return line.length <= lineCharsMax ? line : `${line.slice(0, lineCharsMax)} … and ${plural(line.length - lineCharsMax, 'character')} more`
}

export function BodyView({ state }: { readonly state: WireState }) {
	const { body, item } = state
	const lines = useMemo(() => (body ? yamlLines(body) : []), [body])
	const [said, setSaid] = useState('')
	if (!body)
		return (
			<p class="none">{item.operation === 'deleted' ? 'Deleted at this revision: nothing is there.' : 'Its value could not be read.'}</p>
		)
	const press = async (): Promise<void> => {
		setSaid((await copy(`${lines.join('\n')}\n`)) ? 'copied' : 'the browser refused to copy')
	}
	return (
		<div class="body-view">
			<p class="body-bar">
				<button type="button" onClick={() => void press()}>
					Copy YAML
				</button>{' '}
				<span role="status">{said}</span> <span class="facts">{plural(lines.length, 'line')}</span>
			</p>
			<Rows
				count={lines.length}
				height={lineHeight}
				chosen={-1}
				class="yaml"
				label={`YAML at revision ${item.revision}`}
				plain
				row={(index) => <code>{shownOf(lines[index] ?? '')}</code>}
			/>
		</div>
	)
}
