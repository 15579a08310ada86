// Where the records that come next are not there any more, kafkajs commits "from the earliest on" in the name of the group, and goes on: how far the group had read, and so what it misses, nobody could tell then. Here nothing is committed; the member tells what is missing where reading goes on.
import { createRequire } from 'node:module'

interface TopicOffsets {
	readonly topic: string
	readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
}

/** Of kafkajs 2.2.4 (src/consumer/offsetManager/index.js); it is not in its types. */
interface OffsetManager {
	readonly cluster: {
		fetchTopicsOffset(
			topics: readonly {
				readonly topic: string
				readonly partitions: readonly { readonly partition: number }[]
				readonly fromBeginning?: boolean
			}[],
		): Promise<readonly TopicOffsets[]>
	}
	readonly topicConfigurations: Readonly<Record<string, { readonly fromBeginning: boolean }>>
	/** What is fetched next, by topic and partition. */
	readonly resolvedOffsets: Record<string, Record<number, string>>
	setDefaultOffset(place: { readonly topic: string; readonly partition: number }): Promise<void>
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/offsetManager') as { readonly prototype: OffsetManager }

prototype.setDefaultOffset = async function goOn(this: OffsetManager, { topic, partition }): Promise<void> {
	const [found] = await this.cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], ...this.topicConfigurations[topic] }])
	const offset = found?.partitions[0]?.offset
	const next = this.resolvedOffsets[topic]
	// Fetched once more where it was at first: the answer is the same, and this is asked again.
	if (offset !== undefined && next) next[partition] = offset
}
