// The roles of the program as processes that are killed and started again, at moments that a seed decides.
import { systemClock } from '#runtime/clock.ts'
import { startProgram, type Program } from '#test/support/program.ts'

export type Role = 'collect' | 'process'

const upMsMin = 150
const upMsMax = 2500
const downMsMax = 1200

export class Roles {
	readonly #config: string
	readonly #random: () => number
	readonly #running = new Map<Role, Program>()
	/** Roles that ended by themselves, and what they said. */
	readonly failures: string[] = []
	kills = 0

	constructor(config: string, random: () => number) {
		this.#config = config
		this.#random = random
	}

	start(...roles: readonly Role[]): void {
		for (const role of roles) {
			const program = startProgram([role, '--config', this.#config], { KUBETAPE_LOG_LEVEL: 'warn' })
			this.#running.set(role, program)
			void program.exited.then((code) => {
				if (code !== null) this.failures.push(`${role} ended with ${code}: ${program.output().slice(-1000)}`)
			})
		}
	}

	/** SIGKILL, all at the same moment. */
	async kill(...roles: readonly Role[]): Promise<void> {
		const ended = roles.flatMap((role) => {
			const program = this.#running.get(role)
			this.#running.delete(role)
			if (!program) return []
			this.kills += 1
			program.process.kill('SIGKILL')
			return [program.exited]
		})
		await Promise.all(ended)
	}

	/** Until the work is done: a role, or both, is killed after a while, is down for a while, and started again. */
	async harass(work: Promise<void>): Promise<void> {
		const done = work.then(() => true)
		const choices = [['collect'], ['process'], ['collect', 'process']] as const
		const worked = (): Promise<boolean> => this.pause(upMsMin, upMsMax).then(() => false)
		while (!(await Promise.race([worked(), done]))) {
			const chosen = choices[Math.floor(this.#random() * choices.length)] ?? choices[0]
			await this.kill(...chosen)
			await this.pause(0, downMsMax)
			this.start(...chosen)
		}
	}

	pause(msMin: number, msMax: number): Promise<void> {
		return systemClock.sleep(msMin + this.#random() * (msMax - msMin))
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.kill('collect', 'process')
	}
}
