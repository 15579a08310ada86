// Records as the API gives them, for tests of what the page makes of them.
import type { WireItem, WireObject } from '#api/wire.ts'

const begin = Date.parse('2026-11-23T10:00:00Z')

export function objectAt(key: string): WireObject {
	const [type = '', namespace = '', ...name] = key.split('/')
	const [resource = '', ...group] = type.split('.')
	return { resource, group: group.join('.'), namespace: namespace === '-' ? '' : namespace, name: name.join('/'), key }
}

export const timeAt = (second: number): string => new Date(begin + second * 1000).toISOString()

/** A change of an object, `second` seconds after ten o'clock; its revision is 100 + second. */
export function changeAt(second: number, key: string, more: Partial<WireItem> = {}): WireItem {
	return {
		id: `change-${second}-${key}`,
		kind: 'change',
		cluster: 'c',
		source: 's',
		time: timeAt(second),
		timeBoundSeconds: 0.1,
		observed: timeAt(second),
		summary: 'changed',
		severity: 'normal',
		object: objectAt(key),
		objectKind: 'Deployment',
		revision: String(100 + second),
		operation: 'updated',
		sighting: 'watch',
		facets: ['spec'],
		...more,
	}
}

export function requestAt(
	second: number,
	key: string,
	audit: Partial<NonNullable<WireItem['audit']>> = {},
	more: Partial<WireItem> = {},
): WireItem {
	const request = {
		auditID: `audit-${second}-${key}-${audit.verb ?? ''}`,
		stage: 'ResponseComplete',
		level: 'Metadata',
		verb: 'patch',
		user: 'alice',
	}
	const from = { groups: [], impersonated: '', sourceIPs: [], userAgent: '', subresource: '' }
	const answer = { code: 200, decision: 'allow', reason: '', requestURI: '', requestReceived: timeAt(second), dryRun: false }
	const {
		objectKind: _kind,
		revision: _revision,
		operation: _operation,
		facets: _facets,
		sighting: _sighting,
		...plain
	} = changeAt(second, key)
	return {
		...plain,
		id: `request-${second}-${key}-${audit.verb ?? ''}-${audit.stage ?? ''}`,
		kind: 'audit',
		audit: { ...request, ...from, ...answer, responseRevision: String(100 + second), truncated: false, ...audit },
		...more,
	}
}
