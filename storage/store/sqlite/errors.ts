// SQLite's errors as the program's own.
import { KubetapeError, messageOf } from '#runtime/errors.ts'
import { schemaVersion } from './schema.ts'

/** Result codes of https://www.sqlite.org/rescode.html, low byte. */
const sqlError = 1
const busy = 5
const locked = 6
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notADatabase = 26

/** A damaged number can be larger than JavaScript's. */
const unreadable = new Set(['ERR_OUT_OF_RANGE'])
/** Statements are always the same: it is the schema that is damaged. */
const schemaDamaged = /no such (table|column|index)|has no column/

/** `where` names the file. */
export function storageError(error: unknown, where: string): unknown {
	if (error instanceof KubetapeError) return error
	const errcode = (error as { errcode?: unknown }).errcode
	const code = typeof errcode === 'number' ? errcode & 0xff : -1
	const options = { cause: error, details: { partition: where } }
	if (code === full || (error as NodeJS.ErrnoException).code === 'ENOSPC')
		return new KubetapeError('STORAGE_DISK_FULL', `${where}: the disk is full`, options)
	const message = messageOf(error)
	const otherwise = unreadable.has((error as NodeJS.ErrnoException).code ?? '') || (code === sqlError && schemaDamaged.test(message))
	if (code === corrupt || code === notADatabase || error instanceof DamageError || otherwise)
		return new KubetapeError('STORAGE_CORRUPT', `${where} is damaged: ${message}`, options)
	if (code === busy || code === locked) return new KubetapeError('STORAGE_BUSY', `${where} is busy`, options)
	if (code === ioError || code === cannotOpen) return new KubetapeError('STORAGE_UNAVAILABLE', `${where}: ${messageOf(error)}`, options)
	const zlib = (error as NodeJS.ErrnoException).code
	if (typeof zlib === 'string' && zlib.startsWith('ZSTD_'))
		return new KubetapeError('STORAGE_CORRUPT', `${where} is damaged: ${messageOf(error)}`, options)
	return error
}

/** A day of another format. */
export function formatError(where: string, version: number): KubetapeError {
	return new KubetapeError(
		'STORAGE_FORMAT',
		`${where} has format ${version}, this version of Kubetape reads ${schemaVersion}: read it with the version that wrote it, or move it out of the folder`,
		{ details: { partition: where } },
	)
}

/** A file whose parts do not fit together. */
export class DamageError extends Error {}
