// Options of the replay collector.
import { Type, type Static } from 'typebox'

export const replayConfig = Type.Object(
	{
		path: Type.String({ minLength: 1, description: 'Folder of the recording (docs/reference/recording.md).' }),
		speed: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Literal('max')], {
			default: 'max',
			description:
				'How many times faster than it happened: 1 is as it was, 10 is ten times faster, max is as fast as it goes. Recorded times stay as they were.',
		}),
	},
	{ additionalProperties: false, description: 'A recording in place of a live source.' },
)

export type ReplayConfig = Static<typeof replayConfig>
