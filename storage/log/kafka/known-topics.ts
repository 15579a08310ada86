// The topics as they were found last, kept beside the spool: a process that starts while the brokers are away goes on with them, and does not wait to record.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '#runtime/directory.ts'
import { streams, type Stream } from '#storage/log/port.ts'
import type { KafkaLogConfig } from './config.ts'
import { topicName, type Topic, type Topics } from './topics.ts'

interface Note {
	readonly brokers: readonly string[]
	readonly topics: readonly Topic[]
}

const noteIn = (dir: string): string => join(dir, 'topics.json')

export function rememberTopics(dir: string, { brokers }: KafkaLogConfig, topics: Topics): void {
	makeDirectory(dir)
	writeFileSync(noteIn(dir), JSON.stringify({ brokers, topics: [...topics.values()] } satisfies Note), { mode: 0o640 })
}

/** Undefined where nothing is known, or it was known of other brokers, other topics or another number of partitions. */
export function knownTopics(dir: string, config: KafkaLogConfig): Topics | undefined {
	let note: Partial<Note>
	try {
		note = JSON.parse(readFileSync(noteIn(dir), 'utf8')) as Partial<Note>
	} catch {
		return undefined // nothing was kept, or not whole: the brokers are asked
	}
	if (JSON.stringify(note.brokers) !== JSON.stringify(config.brokers) || !Array.isArray(note.topics)) return undefined
	const found = new Map<Stream, Topic>()
	for (const topic of note.topics)
		if (topic.name === topicName(config, topic.stream) && topic.partitions === config.partitions) found.set(topic.stream, topic)
	return streams.every((stream) => found.has(stream)) ? found : undefined
}
