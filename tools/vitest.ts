// Runs vitest and counts from its own report.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestResult {
	readonly ok: boolean
	readonly passed: number
	readonly failed: number
	readonly skipped: number
}

interface Report {
	readonly success: boolean
	readonly numPassedTests: number
	readonly numFailedTests: number
	readonly numPendingTests: number
	readonly numTodoTests: number
	readonly numFailedTestSuites: number
}

/** A run without any test is a failure, and so is a skipped test: nothing may be left out. */
export async function runVitest(options: {
	readonly args: readonly string[]
	readonly environment: Readonly<Record<string, string>>
}): Promise<TestResult> {
	const dir = mkdtempSync(join(tmpdir(), 'kubetape-report-'))
	const file = join(dir, 'report.json')
	try {
		const status = await run(
			process.execPath,
			[
				join('node_modules', 'vitest', 'vitest.mjs'),
				'run',
				'--reporter=default',
				'--reporter=json',
				`--outputFile.json=${file}`,
				...options.args,
			],
			options.environment,
		)
		const report = JSON.parse(readFileSync(file, 'utf8')) as Report
		const skipped = report.numPendingTests + report.numTodoTests
		const failed = report.numFailedTests + (report.numFailedTests === 0 && !report.success ? Math.max(1, report.numFailedTestSuites) : 0)
		return {
			ok: status === 0 && report.success && report.numPassedTests > 0 && skipped === 0,
			passed: report.numPassedTests,
			failed,
			skipped,
		}
	} finally {
		rmSync(dir, { recursive: true, force: true })
	}
}

/** Exit status of a program that shares our terminal. */
export function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<number> {
	return new Promise((resolve, reject) => {
		const child = spawn(command, [...args], { stdio: 'inherit', env: { ...process.env, ...environment } })
		const stop = (signal: NodeJS.Signals): void => void child.kill(signal)
		const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
		for (const signal of signals) process.on(signal, stop)
		child.on('error', reject)
		child.on('exit', (code) => {
			for (const signal of signals) process.off(signal, stop)
			resolve(code ?? 1)
		})
	})
}
