// Options of the SQLite record log.
import { Type } from 'typebox'

const closed = { additionalProperties: false } as const

export const sqliteLogConfig = Type.Object(
	{
		partitions: Type.Integer({
			default: 1,
			minimum: 1,
			maximum: 64,
			description: 'Partitions of each stream of the record log. One is right for one machine.',
		}),
		retention: Type.Object(
			{
				ageMs: Type.Integer({
					default: 86_400_000,
					minimum: 0,
					description:
						'The record log keeps batches this long, in milliseconds; 0 keeps all. What the store has not taken yet is never removed by age.',
				}),
				bytesMax: Type.Integer({
					default: 4_294_967_296,
					minimum: 0,
					description: 'The record log removes its oldest batches beyond this many bytes; 0 sets no limit.',
				}),
			},
			{ ...closed, default: {} },
		),
	},
	{ ...closed, default: {} },
)
