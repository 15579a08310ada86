// Which engine stands behind each port: the only place that knows.
import type { RecordLog } from '#storage/log/port.ts'
import { openSqliteLog } from '#storage/log/sqlite/log.ts'
import type { Store } from '#storage/store/port.ts'
import { openSqliteStore } from '#storage/store/sqlite/store.ts'
import { paths, type RoleContext } from './context.ts'

export function openLog(context: RoleContext): Promise<RecordLog> {
	return openSqliteLog({
		...context.config.log.sqlite,
		dir: paths.log(context.config),
		clock: context.clock,
		metrics: context.metrics,
		log: context.logger,
	})
}

export function openStore(context: RoleContext, options: { readonly readOnly: boolean }): Promise<Store> {
	return openSqliteStore({
		dir: paths.store(context.config),
		readOnly: options.readOnly,
		config: context.config.store.sqlite,
		clock: context.clock,
		metrics: context.metrics,
		log: context.logger,
	})
}
