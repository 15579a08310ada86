// What differs between two versions, field by field: before and after, texts of several lines line by line, Secrets as changed or the same.
import { useState } from 'preact/hooks'
import type { WireDiff } from '#api/wire.ts'
import { folded, lineDiff, middleOf } from './line-diff.ts'
import { plural } from './time.ts'
import { yamlLines } from './yaml.ts'

type Change = WireDiff['changes'][number]
type Fields = Readonly<Record<string, unknown>>

const facets = ['spec', 'data', 'status', 'metadata'] as const
const facetNames: Readonly<Record<(typeof facets)[number], string>> = {
	spec: 'wanted (spec)',
	data: 'data',
	status: 'observed (status)',
	metadata: 'metadata',
}
/** Fields and lines shown before one asks for the rest. */
const fieldsMax = 200
const linesMax = 60
/** What redaction puts where a secret stood (processors/redact). */
const hidden = /^kubetape:hmac:[0-9a-f]+$/

function isHidden(value: unknown): boolean {
	return typeof value === 'string' && hidden.test(value)
}

function text(value: unknown): string {
	if (typeof value === 'string') return value
	if (typeof value === 'object' && value !== null) return yamlLines(value).join('\n')
	return JSON.stringify(value) ?? ''
}

/** Keys of a Secret whose values did not change; empty of any other object. */
export function sameSecrets(diff: Pick<WireDiff, 'from' | 'changes'>, body: Fields | null | undefined): readonly string[] {
	const data = body?.['data']
	if (typeof data !== 'object' || data === null || diff.from === null) return []
	const changed = new Set(diff.changes.map(({ path }) => path))
	return Object.entries(data).flatMap(([name, value]) =>
		isHidden(value) && !['data', `data.${name}`, `data[${JSON.stringify(name)}]`].some((path) => changed.has(path)) ? [name] : [],
	)
}

/** `body` is the object after the change, once it is known. */
export function DiffView({ diff, body }: { readonly diff: WireDiff; readonly body: Fields | null | undefined }) {
	const [all, setAll] = useState(false)
	const { changes } = diff
	const same = sameSecrets(diff, body)
	if (changes.length === 0)
		return <p class="none">{diff.summary === 'a value cannot be read' ? diff.summary : 'Nothing differs but times and bookkeeping.'}</p>
	const shown = all ? changes : facets.flatMap((facet) => changes.filter((change) => change.facet === facet)).slice(0, fieldsMax)
	return (
		<>
			<table class="diff">
				<caption>
					{plural(changes.length, 'field')} changed since {diff.from === null ? 'before it was there' : `revision ${diff.from}`}
				</caption>
				<thead class="hidden">
					<tr>
						<th scope="col">before</th>
						<th scope="col">after</th>
					</tr>
				</thead>
				<tbody>
					{facets.flatMap((facet) => {
						const some = shown.filter((change) => change.facet === facet)
						if (some.length === 0) return []
						return [
							<tr key={facet} class="facet">
								<th colSpan={2} scope="colgroup">
									{facetNames[facet]}
								</th>
							</tr>,
							...some.map((change) => <FieldRow key={change.path} change={change} />),
						]
					})}
				</tbody>
			</table>
			{same.length > 0 && <p class="none">secret values that are the same: {same.join(', ')}</p>}
			{shown.length < changes.length && (
				<button type="button" class="more" onClick={() => setAll(true)}>
					show all {plural(changes.length, 'field')}
				</button>
			)}
		</>
	)
}

/** `spec.template.spec.containers[checkout].image`: the last part is what one looks for. */
function Path({ path }: { readonly path: string }) {
	const cut = Math.max(path.lastIndexOf('.'), path.lastIndexOf(']') === path.length - 1 ? path.lastIndexOf('[') - 1 : -1)
	return (
		<>
			<span class="lead">{path.slice(0, cut + 1)}</span>
			<b>{path.slice(cut + 1)}</b>
		</>
	)
}

function FieldRow({ change }: { readonly change: Change }) {
	const { path, op, before, after } = change
	const secret = isHidden(before) || isHidden(after)
	const [old, fresh] = [text(before), text(after)]
	const long = !secret && (old.includes('\n') || fresh.includes('\n'))
	return (
		<>
			<tr>
				<th colSpan={2} scope="colgroup" class="path">
					<Path path={path} />
				</th>
			</tr>
			<tr class={op}>
				{secret ? (
					<td colSpan={2} class="secret">
						{op === 'added'
							? 'a secret value was added'
							: op === 'removed'
								? 'the secret value was removed'
								: before === after
									? 'same'
									: 'changed'}{' '}
						<i>(hidden)</i>
					</td>
				) : long ? (
					<td colSpan={2}>
						<Lines before={op === 'added' ? undefined : old} after={op === 'removed' ? undefined : fresh} />
					</td>
				) : (
					<>
						<td class="before">
							{op === 'added' ? <i>was not set</i> : <Value value={old} other={op === 'changed' ? fresh : undefined} tag="del" />}
						</td>
						<td class="after">
							{op === 'removed' ? <i>is not set any more</i> : <Value value={fresh} other={op === 'changed' ? old : undefined} tag="ins" />}
						</td>
					</>
				)}
			</tr>
		</>
	)
}

/** With the middle, where it differs from the other one, made strong. */
function Value({ value, other, tag: Tag }: { readonly value: string; readonly other: string | undefined; readonly tag: 'del' | 'ins' }) {
	if (other === undefined) return <Tag>{value === '' ? '""' : value}</Tag>
	const { head, tail } = middleOf(value, other)
	if (head + tail < 3) return <Tag>{value === '' ? '""' : value}</Tag>
	return (
		<Tag>
			{value.slice(0, head)}
			<mark>{value.slice(head, value.length - tail)}</mark>
			{value.slice(value.length - tail)}
		</Tag>
	)
}

function Lines({ before, after }: { readonly before: string | undefined; readonly after: string | undefined }) {
	const [all, setAll] = useState(false)
	const whole = (value: string, op: 'added' | 'removed') => value.split('\n').map((line) => ({ op, text: line }))
	const lines =
		before === undefined ? whole(after ?? '', 'added') : after === undefined ? whole(before, 'removed') : folded(lineDiff(before, after))
	const shown = all ? lines : lines.slice(0, linesMax)
	return (
		<div class="lines">
			{shown.map((line, index) =>
				line.op === 'folded' ? (
					<div key={index} class="skipped">
						{plural(line.count, 'line')} the same
					</div>
				) : line.op === 'same' ? (
					<div key={index}>{line.text || ' '}</div>
				) : line.op === 'removed' ? (
					<del key={index}>{line.text || ' '}</del>
				) : (
					<ins key={index}>{line.text || ' '}</ins>
				),
			)}
			{shown.length < lines.length && (
				<button type="button" onClick={() => setAll(true)}>
					{plural(lines.length - shown.length, 'more line')}
				</button>
			)}
		</div>
	)
}
