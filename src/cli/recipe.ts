/** The nearest equivalent of a method on a whole model, as a recipe of LLM Compressor and a script that runs it. */
import { recipeFor } from '../experiment/recipe/recipe'
import { parseSetting } from '../experiment/settings'
import { asUsage, type Command, EXIT, listOf, parse, UsageError } from './command'
import { DEFAULT_PRE_SCALE, MX_HELP, methodChoices } from './layer-arguments'
import { MX_OPTIONS, mxChoicesOf } from './mx-arguments'
import { writeWhole } from './output'

const help = `Usage: mxscope recipe --method ID [--setting S] [option...]

Writes the recipe (YAML) of LLM Compressor that comes nearest to a method on a whole model. What it does not reproduce
stands in it as comments, and on standard error.

  --method ID              any method (mxscope methods lists them)
  --setting S              as in compare (default W4A4)
  --option METHOD.KEY=VALUE   an option of the method; may be repeated
  --weight NAME            the weight it was measured on, named in the comments
${MX_HELP}  -o, --output OUT         where the recipe goes; - is standard output (default)
  --python OUT             also write a script that runs it
`

const OPTIONS = {
  method: { type: 'string' },
  setting: { type: 'string', default: 'W4A4' },
  option: { type: 'string', multiple: true },
  weight: { type: 'string', default: 'one layer' },
  ...MX_OPTIONS,
  output: { type: 'string', short: 'o', default: '-' },
  python: { type: 'string' },
} as const

export const command: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({ args: [...args], allowPositionals: false, options: OPTIONS })
    if (values.method === undefined) throw new UsageError('expected --method ID')
    const [text, ...others] = listOf(values.setting)
    if (text === undefined || others.length > 0) throw new UsageError('--setting: expected one setting')
    const [method] = methodChoices([values.method], values.option ?? [], '--method')
    const setting = asUsage(() => parseSetting(text))
    const choices = mxChoicesOf(values, { preScale: DEFAULT_PRE_SCALE })
    const { yaml, python, nearest, deviations } = recipeFor({ method, setting, choices, layer: values.weight })
    if (nearest !== null) terminal.note(`LLM Compressor has no ${method.id}; the recipe runs ${nearest}.`)
    for (const deviation of deviations) terminal.note(deviation)
    if (values.python !== undefined) await writeWhole(values.python, python)
    if (values.output === '-') terminal.out(yaml)
    else await writeWhole(values.output, yaml)
    return EXIT.done
  },
}
