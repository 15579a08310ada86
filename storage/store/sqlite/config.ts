// Options of the SQLite store.
import { Type, type Static } from 'typebox'

export const sqliteStoreConfig = Type.Object(
	{
		cacheKibibytes: Type.Integer({
			default: 8192,
			minimum: 256,
			description: 'Page cache of each open day, in KiB. At most three days stay open in a process.',
		}),
		synchronous: Type.Union([Type.Literal('full'), Type.Literal('normal')], {
			default: 'full',
			description:
				'full: a put survives power loss. normal: a put survives the end of the process, the last ones may be lost with the power.',
		}),
	},
	{ additionalProperties: false },
)

export type SqliteStoreConfig = Static<typeof sqliteStoreConfig>
