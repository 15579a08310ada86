// An index that was made this moment has no shard that answers for a few milliseconds: a question that meets it is asked again, while shards are being started and no longer.
import type { Clock } from '#runtime/clock.ts'
import type { Answer, Asked, Connection } from './client.ts'

const triesMax = 40
const pauseMs = 50
const noShard = /missing shards|no_shard_available_action_exception|all shards failed/
const isQuestion = ({ method, path }: Asked): boolean => method === 'POST' && /\/(_search|_pit)$/.test(path)

interface Shard {
	readonly prirep: string
	readonly state: string
	readonly 'unassigned.reason': string | null
}

/** Primaries that are on their way: being started, or of an index so new that its turn has not come (a node starts a few at a time). */
async function shardsAreStarting(connection: Connection): Promise<boolean> {
	const query = { format: 'json', h: 'prirep,state,unassigned.reason' }
	const { status, text } = await connection.ask({ method: 'GET', path: '/_cat/shards', query })
	if (status >= 300) return false
	return (JSON.parse(text) as readonly Shard[]).some(
		({ prirep, state, 'unassigned.reason': reason }) =>
			prirep === 'p' && (state === 'INITIALIZING' || (state === 'UNASSIGNED' && reason === 'INDEX_CREATED')),
	)
}

/** The same connection, for questions. Shards that are lost and not starting are answered as they are, after one more try. */
export function withPatience(connection: Connection, clock: Clock): Connection {
	return {
		...connection,
		async ask(question) {
			let answer: Answer = await connection.ask(question)
			for (let tries = 1; isQuestion(question) && answer.status === 503 && noShard.test(answer.text) && tries <= triesMax; tries++) {
				const starting = await shardsAreStarting(connection)
				if (starting) await clock.sleep(pauseMs)
				answer = await connection.ask(question)
				if (!starting) break
			}
			return answer
		},
	}
}
