/** What a long command says when it is told to end. */
import type { Terminal } from './command'

/** Exit codes as shells have them: 128 and the number of the signal. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/** Does `work`. Ctrl-C, or a request to end, meanwhile ends the program after a line with what `left` says. */
export async function withInterrupts<T>(terminal: Terminal, left: () => string, work: () => Promise<T>): Promise<T> {
  const end = (signal: keyof typeof SIGNALS) => {
    terminal.note(`Interrupted. ${left()}`)
    process.exit(SIGNALS[signal])
  }
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]
  for (const name of names) process.on(name, end)
  try {
    return await work()
  } finally {
    for (const name of names) process.off(name, end)
  }
}
