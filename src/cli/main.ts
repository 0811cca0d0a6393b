/** The headless program: picks the command, maps what it throws to exit codes. Each command is loaded when asked for. */
import { FileError, GpuError, InputError, MxError, UnsupportedError } from '../core/errors'
import { type Command, EXIT, type Terminal, UsageError } from './command'
import { setTuning } from './node-gpu'

/** Known to every command. */
const NO_TUNING = '--no-tuning'

const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<{ command: Command }> }>> = {
  inspect: { summary: 'list the tensors of safetensors files', load: () => import('./inspect') },
  formats: { summary: 'list the number formats', load: () => import('./formats') },
  methods: { summary: 'list the methods and their options', load: () => import('./methods') },
  quantize: { summary: 'quantize tensors of a file', load: () => import('./quantize') },
  compare: { summary: 'compare methods on one layer', load: () => import('./compare') },
  sweep: { summary: 'one method over one parameter, or outlier strength', load: () => import('./sweep') },
  explain: { summary: 'why a rotation hurts or helps on one layer', load: () => import('./explain') },
  recipe: { summary: 'a method as a recipe of LLM Compressor', load: () => import('./recipe') },
  bench: { summary: 'time the kernels', load: () => import('./bench') },
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  return `Usage: mxscope COMMAND [arguments]

What low-precision number formats do to one linear layer, and which method survives them.

${lines.join('\n')}

mxscope COMMAND --help describes a command. Results go to standard output, progress to standard error.
The first command on a GPU times its kernels and remembers the fastest; --no-tuning keeps the default ones.
Exit codes: 0 done, 1 the input is at fault, 2 wrong usage, 3 no usable GPU, 70 a mistake of ours.
`
}

function exitCodeOf(error: MxError): number {
  if (error instanceof FileError || error instanceof InputError) return EXIT.input
  // A buffer beyond the adapter's limits is a matter of the input's size.
  if (error instanceof UnsupportedError && (error.code === 'GP-02' || error.code === 'GP-06')) return EXIT.input
  if (error instanceof GpuError || error instanceof UnsupportedError) return EXIT.noGpu
  return EXIT.bug
}

/** Runs the program with the arguments after its name. Returns the exit code; never throws. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  setTuning(!args.includes(NO_TUNING))
  const [name, ...rest] = args.filter((arg) => arg !== NO_TUNING)
  try {
    if (name === '--help' || name === '-h' || name === 'help') {
      terminal.out(usage())
      return EXIT.done
    }
    if (name === undefined) throw new UsageError('expected a command')
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (!entry) throw new UsageError(`"${name}" is not a command; expected one of ${Object.keys(COMMANDS).join(', ')}`)
    const { command } = await entry.load()
    if (rest.includes('--help') || rest.includes('-h')) {
      terminal.out(command.help)
      return EXIT.done
    }
    return await command.run(rest, terminal)
  } catch (error) {
    if (error instanceof UsageError) {
      const known = name !== undefined && Object.hasOwn(COMMANDS, name) ? ` ${name}` : ''
      terminal.note(`mxscope${known}: ${error.message.replace(/\.$/, '')}. See mxscope${known} --help.`)
      return EXIT.usage
    }
    if (error instanceof MxError && error.code !== 'BUG') {
      terminal.note(`mxscope: ${error.code}: ${error.message}`)
      return exitCodeOf(error)
    }
    terminal.note(`mxscope: internal error: ${error instanceof Error ? error.stack : String(error)}`)
    return EXIT.bug
  }
}
