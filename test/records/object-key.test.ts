// Object keys: written and read back.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { objectKey, parseObjectKey, resourceName } from '#records/object-key.ts'
import { objectArbitrary } from '#test/support/records.ts'

it('reads back what it writes', () => {
	fc.assert(
		fc.property(objectArbitrary, (ref) => {
			expect(parseObjectKey(objectKey(ref))).toEqual(ref)
		}),
	)
})

it('writes core, grouped and cluster-scoped objects', () => {
	expect(objectKey({ resource: 'pods', group: '', namespace: 'shop', name: 'web' })).toBe('pods/shop/web')
	expect(objectKey({ resource: 'clusterroles', group: 'rbac.authorization.k8s.io', namespace: '', name: 'system:node' })).toBe(
		'clusterroles.rbac.authorization.k8s.io/-/system:node',
	)
	expect(resourceName({ resource: 'deployments', group: 'apps' })).toBe('deployments.apps')
})

it('keeps slashes of a name', () => {
	expect(parseObjectKey('things/-/a/b')).toEqual({ resource: 'things', group: '', namespace: '', name: 'a/b' })
})

it.each(['', 'pods', 'pods/shop', 'pods/shop/', '/shop/web'])('refuses %j', (text) => expect(parseObjectKey(text)).toBeUndefined())

it('never throws on any text', () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			const ref = parseObjectKey(text)
			expect(ref?.name).not.toBe('')
		}),
	)
})
