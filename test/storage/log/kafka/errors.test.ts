// What errors of the brokers mean, wherever kafkajs hides them.
import kafkajs from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { KubetapeError } from '#runtime/errors.ts'
import { isOfType, kafkaError, verdictOf } from '#storage/log/kafka/errors.ts'

const protocol = (type: string): Error => Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable: false })
const wrapped = (error: Error): Error => Object.assign(new kafkajs.KafkaJSNonRetriableError(error), { cause: error })

describe('an error of the brokers', () => {
	it.each([
		['OUT_OF_ORDER_SEQUENCE_NUMBER', 'renew'],
		['UNKNOWN_PRODUCER_ID', 'renew'],
		['UNKNOWN_MEMBER_ID', 'rejoin'],
		['REBALANCE_IN_PROGRESS', 'rejoin'],
		['MESSAGE_TOO_LARGE', 'refuse'],
		['TOPIC_AUTHORIZATION_FAILED', 'fatal'],
		['SASL_AUTHENTICATION_FAILED', 'fatal'],
		['NOT_LEADER_FOR_PARTITION', 'again'],
		['NOT_ENOUGH_REPLICAS', 'again'],
		['a word that is not known', 'again'],
	])('%s means %s, also inside another one', (type, verdict) => {
		expect(verdictOf(protocol(type))).toBe(verdict)
		expect(verdictOf(wrapped(protocol(type)))).toBe(verdict)
		expect(verdictOf(new AggregateError([new Error('other'), protocol(type)]))).toBe(verdict)
		expect(isOfType(wrapped(protocol(type)), type)).toBe(true)
	})

	it.each(['SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])(
		'of TLS (%s) is for an operator',
		(code) => {
			const error = Object.assign(new Error('Connection error'), { name: 'KafkaJSConnectionError', code })
			expect(verdictOf(error)).toBe('fatal')
			expect(kafkaError('there', error)).toMatchObject({ code: 'KAFKA_TLS' })
		},
	)

	it('of the connection is tried again', () => {
		for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND'])
			expect(verdictOf(Object.assign(new Error('Connection error'), { code }))).toBe('again')
		expect(verdictOf(undefined)).toBe('again')
		expect(verdictOf('text')).toBe('again')
	})

	it('ends where a chain of causes goes in a circle', () => {
		const error = new Error('one')
		error.cause = error
		expect(verdictOf(error)).toBe('again')
	})

	it('has a code of the registry', () => {
		expect(kafkaError('there', protocol('MESSAGE_TOO_LARGE')).code).toBe('STORAGE_TOO_LARGE')
		expect(kafkaError('there', protocol('GROUP_AUTHORIZATION_FAILED')).code).toBe('KAFKA_AUTH')
		expect(kafkaError('there', protocol('UNSUPPORTED_VERSION')).code).toBe('KAFKA_TOPIC')
		expect(kafkaError('there', new Error('closed'))).toMatchObject({ code: 'STORAGE_UNAVAILABLE', message: 'there: closed' })
		const ours = new KubetapeError('STORAGE_BUSY', 'ours')
		expect(kafkaError('there', ours)).toBe(ours)
	})
})
