// What stored values become, by hand-made bytes; every field of every kind is compared with Kubernetes' own types in kinds.kubernetes.test.ts.
import { describe, expect, it } from 'vitest'
import { bodyOf, decodeValue } from '#collectors/etcd/decode.ts'
import { message, stored, text, varint } from './protobuf.ts'

const textOf = (value: Buffer, revision = 7n): string => bodyOf(decodeValue(value, revision))?.text ?? ''

describe('protobuf', () => {
	it('writes what Go writes of an almost empty object', () => {
		expect(textOf(stored('v1', 'ConfigMap', message(1, text(1, 'a'))))).toBe(
			'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"7"}}',
		)
		expect(textOf(stored('v1', 'Service', message(1, text(1, 'a'))))).toBe(
			'{"kind":"Service","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"7"},"spec":{},"status":{"loadBalancer":{}}}',
		)
	})

	it('keeps the order of keys that look like numbers', () => {
		const data = ['10', '9', 'a'].map((key) => message(2, text(1, key), text(2, `v${key}`)))
		expect(textOf(stored('v1', 'ConfigMap', ...data))).toContain('"data":{"10":"v10","9":"v9","a":"va"}')
	})

	it('tells time zero from no time', () => {
		const owner = (...time: Buffer[]): Buffer => message(1, message(8, ...time))
		expect(textOf(stored('v1', 'ConfigMap', owner(varint(1, 0), varint(2, 0))))).toContain('"creationTimestamp":"1970-01-01T00:00:00Z"')
		expect(textOf(stored('v1', 'ConfigMap', owner()))).not.toContain('creationTimestamp')
	})

	it('sets resourceVersion of the object and not of a template in it', () => {
		const pod = message(3, message(1, text(6, 'kept')))
		expect(textOf(stored('v1', 'ReplicationController', message(1, text(1, 'a')), message(2, pod)))).toContain(
			'"template":{"metadata":{"resourceVersion":"kept"}',
		)
	})

	it('gives a new Job the labels of its template, as the API server does', () => {
		const template = message(6, message(1, message(11, text(1, 'job-name'), text(2, 'a'))))
		const job = (...more: Buffer[]): string => textOf(stored('batch/v1', 'Job', message(1, text(1, 'a'), ...more), message(2, template)))
		const annotations = message(12, text(1, 'k'), text(2, 'v'))
		expect(job(annotations)).toContain('"metadata":{"name":"a","resourceVersion":"7","labels":{"job-name":"a"},"annotations":{"k":"v"}}')
		expect(job()).toContain('"metadata":{"name":"a","resourceVersion":"7","labels":{"job-name":"a"}}')
		expect(job(message(11, text(1, 'own'), text(2, 'b')))).toContain('"labels":{"own":"b"}')
	})

	it('escapes what Go escapes', () => {
		expect(textOf(stored('v1', 'ConfigMap', message(2, text(1, 'k'), text(2, '<a> & \u2028\u2029 ü'))))).toContain(
			String.raw`"k":"\u003ca\u003e \u0026 \u2028\u2029 ü"`,
		)
	})

	it('says what it does not know', () => {
		expect(decodeValue(stored('example.com/v9', 'Thing\u0000'), 7n)).toEqual({
			encoding: 'raw',
			note: 'protobuf of an unknown kind: example.com/v9 Thing?',
		})
		expect(decodeValue(Buffer.from('k8s\0'), 7n)).toEqual({ encoding: 'raw', note: 'protobuf of an unknown kind:  ' })
	})
})

describe('JSON', () => {
	it('of a custom resource has resourceVersion where Go puts it, and every digit', () => {
		const json = '{"apiVersion":"example.com/v1","kind":"W","metadata":{"name":"a","uid":"u"},"spec":{"10":1,"9":2,"big":9007199254740993}}'
		expect(textOf(Buffer.from(json))).toBe(json.replace('"uid"', '"resourceVersion":"7","uid"'))
	})

	it('of a built-in kind has the order of the struct', () => {
		const json = '{"apiVersion":"v1","data":{"b":"1","a":"2"},"metadata":{"uid":"u","name":"a"},"kind":"ConfigMap","other":1}'
		expect(textOf(Buffer.from(json))).toBe(
			'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"7"},"data":{"b":"1","a":"2"},"other":1}',
		)
	})

	it('that is not UTF-8 is refused', () => {
		expect(decodeValue(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 7n)).toEqual({ reject: 'the JSON is not UTF-8' })
	})
})
