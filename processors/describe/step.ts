// Describe: a record in one sentence, with what is looked for in it: changed paths, images, labels, words.
import { describeChange } from '#history/describe.ts'
import { podFactsOf } from '#history/pod-facts.ts'
import type { Indexed, Severity } from '#records/indexed.ts'
import { resourceName } from '#records/object-key.ts'
import type { AuditEntry, ClusterEvent, LogLine, Redacted, StoredRecord, VersionRecord } from '#records/record.ts'
import { auditSpace } from '#records/revision.ts'
import type { StepResult } from '#processors/step.ts'
import { messageOf } from '#runtime/errors.ts'
import { labelsOf, stringsOf } from './read.ts'
import { createRecent } from './recent.ts'

type Fields = Readonly<Record<string, unknown>>
type Found = Omit<Indexed, 'record'>

const textCharsMax = 4000
const wordCharsMax = 300
const nothing: Found = { summary: '', severity: 'normal', facets: [], paths: [], labels: {}, owners: [], images: [], text: '' }

const verbs: Readonly<Record<string, string>> = {
	create: 'created',
	update: 'updated',
	patch: 'patched',
	delete: 'deleted',
	deletecollection: 'deleted a collection of',
	get: 'read',
	list: 'listed',
	watch: 'watched',
}

function describeAudit(entry: AuditEntry): Found {
	const actor = entry.impersonated === '' ? entry.user : `${entry.user} as ${entry.impersonated}`
	const target = entry.object
		? `${resourceName(entry.object)}${entry.subresource === '' ? '' : `/${entry.subresource}`} ${[entry.object.namespace, entry.object.name].filter((part) => part !== '').join('/')}`.trim()
		: entry.requestURI.split('?')[0]
	const refused = entry.code === 403 || entry.code === 401
	const failed = entry.code >= 400
	const said = refused ? `was refused to ${entry.verb}` : failed ? `failed to ${entry.verb}` : (verbs[entry.verb] ?? entry.verb)
	const severity: Severity =
		entry.code >= 500 || entry.stage === 'Panic' ? 'error' : failed && entry.code !== 404 && entry.code !== 409 ? 'warning' : 'normal'
	const marks = [entry.dryRun ? 'dry run' : '', entry.truncated ? 'truncated' : '', entry.missing ? 'known in part' : '']
	const told = [entry.code === 0 ? entry.stage : String(entry.code), ...marks].filter((mark) => mark !== '')
	return {
		...nothing,
		summary: `${actor} ${said} ${target} (${told.join(', ')})`,
		severity,
		text: [entry.user, entry.impersonated, entry.userAgent, entry.reason, entry.requestURI, ...entry.sourceIPs]
			.join(' ')
			.slice(0, textCharsMax),
	}
}

function describeEvent(event: ClusterEvent, labels: Readonly<Record<string, string>>): Found {
	const times = event.count > 1 ? ` (×${event.count})` : ''
	const expired = event.operation === 'deleted'
	return {
		...nothing,
		labels,
		summary: expired ? `${event.reason} removed` : `${event.reason}: ${event.message}${times}`,
		severity: event.type === 'Warning' && !expired ? 'warning' : 'normal',
		text: [event.reporter, event.type, event.regarding.fieldPath].join(' '),
	}
}

function describeLog(line: LogLine): Found {
	return {
		...nothing,
		summary: line.text.slice(0, 1000),
		severity: line.level === 'error' || line.level === 'fatal' ? 'error' : line.level === 'warning' ? 'warning' : 'normal',
		text: line.text.slice(1000, textCharsMax),
	}
}

export function createDescribe(): (record: Redacted<StoredRecord>) => StepResult<Indexed> {
	const recent = createRecent()
	const describeVersion = (record: VersionRecord): Found => {
		if (record.folded) return { ...nothing, summary: `renewed at ${record.folded.renewTime}` }
		if (record.kind === 'event') return { ...describeEvent(record, labelsOf(record.after ?? record.before)), owners: record.owners }
		const { before, after } = recent.read(record)
		const metadata = (after ?? before ?? {})['metadata'] as Fields | undefined
		const labels = stringsOf(metadata?.['labels'])
		const found = describeChange(record.objectKind, record.operation, before, after)
		const words = found.changes
			.flatMap((change) => [change.before, change.after])
			.filter((value) => typeof value === 'string' && value.length < wordCharsMax)
		const cause = stringsOf(metadata?.['annotations'])['kubernetes.io/change-cause']
		return {
			summary: record.note === undefined || after !== null ? found.summary : `${found.summary} (${record.note})`,
			severity: found.severity,
			facets: found.facets,
			paths: found.paths,
			images: found.images,
			labels,
			owners: record.owners,
			text: [...found.images, ...words, cause ?? '', record.uid].join(' ').slice(0, textCharsMax),
			...(record.object.resource === 'pods' && record.object.group === '' ? { pod: podFactsOf(after ?? before ?? {}) } : {}),
		}
	}

	const describe = (record: StoredRecord): Found => {
		switch (record.kind) {
			case 'change':
			case 'event':
				return describeVersion(record)
			case 'audit':
				return describeAudit(record)
			case 'log':
				return describeLog(record)
			case 'gap':
				return { ...nothing, severity: 'warning', summary: `records are missing: ${record.reason}, ${record.detail}` }
			case 'coverage':
				if (record.space === auditSpace)
					return { ...nothing, summary: `of ${record.toRevision} audit entries that were sent, ${record.versions} came by ${record.scope}` }
				return { ...nothing, summary: `revisions ${record.fromRevision} to ${record.toRevision} seen whole` }
			default:
				return { ...nothing, severity: 'warning', summary: `${record.step}: ${record.reason} (${record.where})` }
		}
	}

	return (record) => {
		try {
			return { ok: { record, ...describe(record) } }
		} catch (error) {
			return { reject: messageOf(error), cause: error }
		}
	}
}
