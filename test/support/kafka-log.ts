// The Kafka record log for tests: configuration for the brokers of a test.
import { Value } from 'typebox/value'
import { kafkaLogConfig, type KafkaLogConfig } from '#storage/log/kafka/config.ts'

/** As a configuration file would give it, for one broker, or three where three are named. */
export function kafkaConfig(brokers: readonly string[], overrides: Readonly<Record<string, unknown>> = {}): KafkaLogConfig {
	const replicationFactor = Math.min(3, brokers.length)
	const given = { brokers, replicationFactor, minInsyncReplicas: Math.max(1, replicationFactor - 1), partitions: 1, ...overrides }
	return Value.Default(kafkaLogConfig, given) as KafkaLogConfig
}
