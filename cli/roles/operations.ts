// The port of a process for its operators, where one is configured.
import { openOperations, type Operations } from '#runtime/operations.ts'
import type { RoleContext } from './context.ts'

/** Throws RUNTIME_PORT_TAKEN or RUNTIME_NO_PERMISSION. */
export async function openRoleOperations(context: RoleContext, operations: Operations): Promise<AsyncDisposable | undefined> {
	const { operations: where } = context.config
	if (!where) return undefined
	const opened = await openOperations(where, operations)
	context.logger.info({ address: opened.address }, 'answers for itself: /livez, /readyz, /metrics')
	return opened
}
