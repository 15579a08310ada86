// What is said of a record about an object, from the versions that may have stood: only that in which they agree.
import type { Indexed } from '#records/indexed.ts'
import type { LogLine } from '#records/record.ts'
import { areSameOwners, type ObjectHistory, type Version } from './versions.ts'

export type Found = Pick<Indexed, 'labels' | 'owners' | 'images'>

const nothing: Found = { labels: {}, owners: [], images: [] }

function commonLabels(versions: readonly Version[]): Readonly<Record<string, string>> {
	const [first, ...others] = versions
	if (!first) return nothing.labels
	if (others.every(({ labels }) => labels === first.labels)) return first.labels
	return Object.fromEntries(
		Object.entries(first.labels).filter(([name, value]) =>
			others.every(({ labels }) => Object.hasOwn(labels, name) && labels[name] === value),
		),
	)
}

function commonImage(versions: readonly Version[], container: string): readonly string[] {
	const images = versions.map(({ pod }) => (pod && Object.hasOwn(pod.images, container) ? pod.images[container] : undefined))
	const [first] = images
	return first !== undefined && images.every((image) => image === first) ? [first] : []
}

/** Nothing where a version that is not known may have stood. */
export function foundOf(versions: readonly Version[], unknown: boolean, container: string): Found {
	const [first] = versions
	if (unknown || !first) return nothing
	return {
		labels: commonLabels(versions),
		owners: versions.every(({ owners }) => areSameOwners(owners, first.owners)) ? first.owners : [],
		images: commonImage(versions, container),
	}
}

/** Of the container's Pod when the line was written. */
export function foundOfLine(history: ObjectHistory, line: Pick<LogLine, 'occurredAt' | 'occurredBound' | 'container'>): Found {
	const { versions, unknown } = history.between(line.occurredAt - line.occurredBound, line.occurredAt + line.occurredBound)
	return foundOf(versions, unknown, line.container)
}
