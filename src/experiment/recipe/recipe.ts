/** A finding on one layer as a recipe for a whole model. */
import { completeOptions } from '../../core/options'
import { VERSION } from '../../core/version'
import { type MxChoices, STANDARD_MX } from '../../formats/quantizer'
import type { Method } from '../../methods/method'
import { METHODS, methodById } from '../../methods/registry'
import { optionsOf } from '../catalog'
import type { MethodChoice, Setting } from '../request'
import { settingLabel } from '../setting-text'
import { quantizersOf } from '../settings'
import { type Modifier, mitigationSteps, needsRows, type Steps, transformSteps } from './modifiers'
import { type Scheme, schemeOf } from './scheme'
import { commentLines, type YamlMap, yamlText } from './yaml-text'

/** What was measured. */
export interface RecipeRequest {
  readonly method: MethodChoice
  readonly setting: Setting
  readonly choices: MxChoices
  /** The weight it was measured on. */
  readonly layer: string
  /** How it was measured; absent where nothing was. */
  readonly measured?: { readonly seed: number; readonly adapter: string }
}

/** The nearest equivalent on a whole model. */
export interface Recipe {
  /** A recipe of LLM Compressor, with the deviations as comments. */
  readonly yaml: string
  /** A script that runs it. */
  readonly python: string
  /** The method the recipe runs, by its id, where LLM Compressor does not have the one that was measured; else null. */
  readonly nearest: string | null
  /** Whether it runs on calibration data. */
  readonly needsRows: boolean
  /** What the recipe does not reproduce, a sentence each; the first one always stands. */
  readonly deviations: readonly string[]
}

/** Release of LLM Compressor whose names and arguments the recipe uses (docs/export.md). */
export const LLM_COMPRESSOR = 'vllm-project/llm-compressor at ab1ba3e'

const scopeText = (isCalibrated: boolean) =>
  `One layer was measured; the recipe quantizes every Linear layer but lm_head, ${isCalibrated ? 'on calibration data of your choice' : 'without calibration data'}.`

/** Elements that share a scale in the weight; the standard block where it has none that a rotation could follow. */
function scaleBlockOf(setting: Setting, choices: MxChoices): number {
  const { weight } = quantizersOf(setting, choices)
  if (weight?.family === 'mx') return weight.blockSize
  if (weight?.family === 'nvfp') return weight.format.blockSize
  return weight?.family === 'integer' && weight.group !== 'row' ? weight.group : STANDARD_MX.blockSize
}

function quantizing({ preset, weights, activations, cache }: Scheme): YamlMap {
  const group = { targets: ['Linear'], weights, input_activations: activations }
  const what = preset === null ? { config_groups: { group_0: group } } : { targets: ['Linear'], scheme: preset }
  return { ...what, ignore: ['lm_head'], kv_cache_scheme: cache ?? undefined }
}

/** Where the script says what to calibrate on, and how it loads that. */
const CALIBRATION = {
  choices: `DATASET, SPLIT, COLUMN = "Salesforce/wikitext", "train[:2048]", "text"
SAMPLES, LENGTH = 512, 2048
`,
  loading: `data = load_dataset(DATASET, "wikitext-103-raw-v1", split=SPLIT)
data = data.filter(lambda row: len(row[COLUMN]) > 200)
data = data.map(
    lambda row: tokenizer(row[COLUMN], truncation=True, max_length=LENGTH),
    remove_columns=data.column_names,
)
`,
  call: `oneshot(
    model=model,
    dataset=data,
    recipe=RECIPE,
    max_seq_length=LENGTH,
    num_calibration_samples=min(SAMPLES, len(data)),
)
`,
}
/** Without data no row is looked at. */
const DATA_FREE = { choices: '', loading: '', call: 'oneshot(model=model, recipe=RECIPE, pipeline="datafree")\n' }

function script(yaml: string, isCalibrated: boolean): string {
  const { choices, loading, call } = isCalibrated ? CALIBRATION : DATA_FREE
  const [needed, imported, edited] = isCalibrated
    ? [' datasets', 'from datasets import load_dataset\n', 'the model, the data to calibrate on, and where']
    : ['', '', 'the model, and where']
  return `# Runs the recipe below on a whole model. Needs: pip install llmcompressor${needed}
import sys

${imported}from llmcompressor import oneshot
from transformers import AutoModelForCausalLM, AutoTokenizer

RECIPE = """\\
${yaml.replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"')}"""

# Edit these: ${edited} the result goes.
MODEL = sys.argv[1] if len(sys.argv) > 1 else "path/to/model"
OUTPUT = sys.argv[2] if len(sys.argv) > 2 else "quantized"
${choices}
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype="auto")
tokenizer = AutoTokenizer.from_pretrained(MODEL)
${loading}
${call}model.save_pretrained(OUTPUT, save_compressed=True)
tokenizer.save_pretrained(OUTPUT)
`
}

/** The method that the steps amount to; null where that is the measured one. */
function nearestOf({ transform, mitigation }: Method, before: Steps, last: Steps): Method | null {
  if (before.standsFor === undefined && last.standsFor === undefined) return null
  const [row, column] = [before.standsFor ?? transform.id, last.standsFor ?? mitigation.id]
  return METHODS.find((method) => method.transform.id === row && method.mitigation.id === column) ?? null
}

/** The first comment: what the recipe is, and what was measured. */
function aboutText(method: Method, nearest: Method | null, where: string): string {
  if (nearest === null) return `${method.label}, measured ${where}`
  const name = nearest.id === 'rtn' ? `Plain rounding (${nearest.label})` : nearest.label
  return `${name}, not ${method.label}: the nearest that LLM Compressor has. ${method.label} was measured ${where}`
}

/**
 * The LLM Compressor recipe nearest to a method under a setting, as YAML and as a script.
 * Throws InputError RE-01 where the weights are not quantized, MD-03 and MD-04 for a method or option that does not
 * exist.
 */
export function recipeFor({
  method: { id, options: given },
  setting,
  choices,
  layer,
  measured,
}: RecipeRequest): Recipe {
  const method = methodById(id)
  const options = completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), given)
  const scheme = schemeOf(setting, choices)
  const before = transformSteps(method.transform.id, options, scaleBlockOf(setting, choices))
  const last = mitigationSteps(method.mitigation.id, options)
  const isCalibrated = scheme.needsRows || needsRows([...before.modifiers, ...last.modifiers])
  const deviations = [scopeText(isCalibrated), ...before.deviations, ...last.deviations, ...scheme.deviations]
  const named = ({ name, settings }: Modifier) => [name, settings] as const
  const finish = last.modifiers.map(({ name, settings }) => [name, { ...settings, ...quantizing(scheme) }] as const)
  const modifiers = Object.fromEntries([...before.modifiers.map(named), ...finish])
  const nearest = nearestOf(method, before, last)
  const run = measured ? `, seed ${measured.seed}, on ${measured.adapter}` : ''
  const where = `under ${settingLabel(setting.id)} on ${layer} with MXScope ${VERSION}${run}`
  const about = `${aboutText(method, nearest, where)}. Names are those of ${LLM_COMPRESSOR}.`
  const comments = [about, 'Not reproduced:', ...deviations.map((said) => `- ${said}`)].map((text) =>
    commentLines(text),
  )
  const yaml = `${comments.join('')}${yamlText({ quant_stage: { quant_modifiers: modifiers } })}`
  return { yaml, python: script(yaml, isCalibrated), nearest: nearest?.id ?? null, needsRows: isCalibrated, deviations }
}
