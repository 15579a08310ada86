// Keys and filter words, on one sheet.
import { useLayoutEffect, useRef } from 'preact/hooks'

const keys = [
	['/', 'filter'],
	['j k  ↓ ↑', 'next, previous lane, record or version'],
	['Enter', 'open it'],
	['Esc', 'close, then the whole range'],
	['← →', 'earlier, later'],
	['+ −', 'zoom in, zoom out'],
	['t', 'table or lanes'],
	['y', 'whole object or what changed'],
	['s', 'fold or show what stands out'],
	['c', 'coverage, gaps, rejects'],
	['l  Space', 'live tail; pause it'],
	['?', 'this sheet'],
] as const
const words = [
	['ns: kind: name: uid:', 'the object; owned adds what it owns'],
	['user: verb: code: ip:', 'requests'],
	['pod: container: node: unit:', 'log lines'],
	['is:warning is:error', 'by severity'],
	['word "two words"', 'anywhere in the text'],
] as const

function List({ rows }: { readonly rows: readonly (readonly [string, string])[] }) {
	return (
		<dl>
			{rows.map(([name, what]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{what}</dd>
				</div>
			))}
		</dl>
	)
}

export function Help({ onClose }: { readonly onClose: () => void }) {
	const dialog = useRef<HTMLDialogElement>(null)
	useLayoutEffect(() => {
		dialog.current?.showModal()
	}, [])
	return (
		<dialog
			ref={dialog}
			class="help"
			aria-label="Keys and filter words"
			onClose={onClose}
			onClick={(event) => event.target === dialog.current && onClose()}
		>
			<h2>Keys</h2>
			<List rows={keys} />
			<h2>Filter words</h2>
			<List rows={words} />
			<button type="button" onClick={onClose}>
				close
			</button>
		</dialog>
	)
}
