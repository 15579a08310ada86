// Who reads what: a partition of every topic with the same number goes to the same member, so that one process sees everything about an object: its changes, its events, its lines.
import kafkajs, { type PartitionAssigner } from 'kafkajs'

/** In the group's protocol; members with another assigner are refused. */
const name = 'kubetape-together'
const version = 1
const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

export interface Share {
	readonly memberId: string
	/** Partitions by topic. */
	readonly assignment: Readonly<Record<string, number[]>>
}

/** Partitions by number, dealt to the members in their order. */
export function share(memberIds: readonly string[], topics: ReadonlyMap<string, readonly number[]>): readonly Share[] {
	const sorted = memberIds.toSorted()
	return sorted.map((memberId, index) => ({
		memberId,
		assignment: Object.fromEntries(
			[...topics].map(([topic, partitions]) => [topic, partitions.filter((partition) => partition % sorted.length === index)]),
		),
	}))
}

/** What kafkajs knows of a topic; it is not in its types. */
interface KnownPartitions {
	findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[]
}

export const togetherAssigner: PartitionAssigner = ({ cluster }) => ({
	name,
	version,
	async assign({ members, topics }) {
		const known = cluster as unknown as KnownPartitions
		const partitions = new Map(
			topics.map((topic) => [topic, known.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)]),
		)
		return share(
			members.map(({ memberId }) => memberId),
			partitions,
		).map(({ memberId, assignment }) => ({
			memberId,
			memberAssignment: MemberAssignment.encode({ version, assignment, userData: Buffer.alloc(0) }),
		}))
	},
	protocol({ topics }) {
		return { name, metadata: MemberMetadata.encode({ version, topics: [...topics], userData: Buffer.alloc(0) }) }
	},
})
