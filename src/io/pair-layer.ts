import { InputError } from '../core/errors'
import { quoted } from './number-text'
import { isReal, type RealView } from './tensor-bytes'
import type { TensorView } from './tensor-view'

/** The shortest input dimension a weight may have to be offered: one MX block. */
const SMALLEST_INPUT = 32

/** Tensor names that mean "what a layer receives", as a word of the dotted name. */
const ACTIVATION_WORD = /(^|[._/-])(x|acts?|activations?|inputs?|hidden(_states?)?)([._/-]|$)/i

/** Names that are certainly parameters, whatever their shape. */
const PARAMETER_NAME = /(^|[._/])(weight|bias|kernel|embedding|gamma|beta)$/i

/** Names of parts of a network: a matrix called so is a weight even without the suffix. */
const NETWORK_PART =
  /(proj|attn|attention|mlp|ffn|fc\d*|dense|linear|conv\d*d?|embed(dings?|_tokens)?|wte|wpe|lm_head)([._/]|$)/i

const ATTENTION_PROJECTION = /(^|[._/])([qkvo]_proj|(self_)?attn|attention|wq|wk|wv|wo|w?qkv(_proj)?|c_attn)([._/]|$)/i
const QUERY_PROJECTION = /(^|[._/])q_proj([._/]|$)/i

/** Projections that receive the same input in Llama-like models. */
const SHARED_INPUT = [
  ['q_proj', 'k_proj', 'v_proj'],
  ['gate_proj', 'up_proj'],
]

const columnsOf = (view: TensorView) => view.shape[view.shape.length - 1] ?? 0
/** True for names that say a tensor is what a layer receives. */
export const meansActivations = (name: string) => ACTIVATION_WORD.test(name) && !PARAMETER_NAME.test(name)
const moduleOf = (view: TensorView) => view.name.replace(/\.weight$/, '')
const naturalOrder = new Intl.Collator('en', { numeric: true })
const byName = (a: TensorView, b: TensorView) => naturalOrder.compare(a.name, b.name)

/**
 * Why a tensor cannot be chosen as a weight [out, in], in words that follow "cannot be chosen:"; null when it can.
 */
export function weightObstacle(view: TensorView): string | null {
  if (!isReal(view)) return `dtype ${view.dtype} cannot be quantized`
  if (view.shape.length !== 2) return `${view.shape.length} dimensions instead of 2`
  const [rows, cols] = view.shape
  if (rows === 0) return 'it has no elements'
  return cols < SMALLEST_INPUT ? `input dimension ${cols} is less than one block of ${SMALLEST_INPUT}` : null
}

/**
 * The weight to open first, or null when the file has none. Weights whose own input is in the file come before all
 * others, then: q_proj of layer 8 (the one of figure 5 of arXiv 2601.09555), the first q_proj, the first attention
 * projection (numbers in names compared as numbers), the largest matrix. Names that mean activations are taken only
 * when there is nothing else.
 */
export function suggestWeight(tensors: readonly TensorView[]): RealView | null {
  const matrices = tensors.filter(isReal).filter((view) => weightObstacle(view) === null)
  const named = matrices.filter((view) => !meansActivations(view.name))
  const weights = named.length > 0 ? named : matrices
  const fed = new Set(tensors.map(inputModule))
  const captured = weights.filter((view) => fed.has(moduleOf(view)))
  const pool = captured.length > 0 ? captured : weights
  const queries = pool.filter((view) => QUERY_PROJECTION.test(view.name))
  return (
    firstByName(queries.filter((view) => /(^|[._/])8[._/]/.test(view.name))) ??
    firstByName(queries) ??
    firstByName(pool.filter((view) => ATTENTION_PROJECTION.test(view.name))) ??
    pool.reduce<RealView | null>((best, view) => (best && elements(best) >= elements(view) ? best : view), null)
  )
}

/**
 * Tensors [..., in] that could be what `weight` [out, in] receives, best match first: its own `<module>.input`, the
 * input of a projection that shares it (q, k, v; gate, up), names like act, x, input or hidden, the inputs of other
 * modules, any other float tensor of that width. Parameters by name never match; a nameless matrix that could itself
 * be a weight does only when nothing else fits. A module's own input also matches a weight stored as [in, out].
 */
export function activationCandidates(tensors: readonly TensorView[], weight: TensorView): RealView[] {
  const modules = new Set(tensors.filter((view) => view !== weight && inputModule(view) === null).map(moduleOf))
  const ranked = tensors
    .filter(isReal)
    .filter((view) => mayBeActivations(view, weight) && widthFits(view, weight))
    .map((view) => ({ view, rank: activationRank(view, weight, modules) }))
    .sort((a, b) => a.rank - b.rank || byName(a.view, b.view))
  const good = ranked.filter(({ rank }) => rank < LAST_RESORT)
  return (good.length > 0 ? good : ranked).map(({ view }) => view)
}

/** The tensor that is surely what `weight` receives: its own `<module>.input`, or that of a projection that shares it. */
export function capturedInput(tensors: readonly TensorView[], weight: TensorView): RealView | null {
  const [first] = activationCandidates(tensors, weight)
  const module = first ? inputModule(first) : null
  const isOwn = module === moduleOf(weight)
  return first && module !== null && (isOwn || sharesInput(module, moduleOf(weight))) ? first : null
}

/**
 * Whether `activations` as wide as the weight is high mean a weight stored as [in, out]: not when by their name they are
 * what another module of the weight's file (`tensors`) receives, for then they are the wrong ones.
 */
export function mayTurn(weight: TensorView, activations: TensorView, tensors: readonly TensorView[]): boolean {
  const module = inputModule(activations)
  if (module === null || module === moduleOf(weight) || sharesInput(module, moduleOf(weight))) return true
  return !tensors.some((view) => inputModule(view) === null && moduleOf(view) === module)
}

/**
 * A sentence on what was looked for and what was found instead, when `weight` has no candidate among `tensors`: widths
 * and names of tensors that could be activations.
 */
export function explainNoActivations(tensors: readonly TensorView[], weight: TensorView): string {
  const wanted = `No tensor here can be the activations of ${quoted(weight.name)}: expected a floating-point tensor with last axis ${columnsOf(weight)}`
  const others = tensors.filter((view) => mayBeActivations(view, weight) && !looksLikeWeight(view))
  if (others.length === 0) return `${wanted}, found none among the weights and other parameters.`
  const unreadable = others.filter((view) => !isReal(view) && columnsOf(view) === columnsOf(weight))
  if (unreadable.length > 0) return `${wanted}, found ${listed(unreadable, (view) => view.dtype)}.`
  return `${wanted}, found ${listed(others, (view) => `${columnsOf(view)}`)}.`
}

/**
 * Throws InputError AC-01 when the last axis of `activations` is not the input dimension of `weight`; names the weight
 * among `tensors` that it would fit, if there is one.
 */
export function checkWidths(activations: TensorView, weight: TensorView, tensors: readonly TensorView[] = []): void {
  const [expected, found] = [columnsOf(weight), columnsOf(activations)]
  if (expected === found) return
  const message = `expected width ${expected} (columns of ${weight.name}), found ${found}`
  const hint = suggestionFor(activations, tensors, weight)
  throw new InputError('AC-01', `activations ${quoted(activations.name)}: ${message}.${hint}`)
}

/** activationRank of a matrix that says nothing about being activations. */
const LAST_RESORT = 5

function activationRank(view: TensorView, weight: TensorView, modules: ReadonlySet<string>): number {
  const module = inputModule(view)
  if (module === moduleOf(weight)) return 0
  if (module !== null && modules.has(module)) return sharesInput(module, moduleOf(weight)) ? 1 : 3
  if (ACTIVATION_WORD.test(view.name)) return 2
  return view.shape.length > 2 ? 4 : LAST_RESORT
}

function widthFits(view: TensorView, weight: TensorView): boolean {
  if (columnsOf(view) === columnsOf(weight)) return true
  return inputModule(view) === moduleOf(weight) && columnsOf(view) === weight.shape[0]
}

/** The module whose input a tensor is by its name: "block.q_proj" for "block.q_proj.input"; null for other names. */
function inputModule(view: TensorView): string | null {
  return /^(.*)\.inputs?$/.exec(view.name)?.[1] ?? null
}

function sharesInput(module: string, other: string): boolean {
  const [parent, name] = splitLast(module)
  const [otherParent, otherName] = splitLast(other)
  return parent === otherParent && SHARED_INPUT.some((group) => group.includes(name) && group.includes(otherName))
}

function splitLast(module: string): [string, string] {
  const dot = module.lastIndexOf('.')
  return [module.slice(0, Math.max(dot, 0)), module.slice(dot + 1)]
}

function mayBeActivations(view: TensorView, weight: TensorView): boolean {
  if (view.name === weight.name || view.shape.length < 2 || view.shape.includes(0)) return false
  if (PARAMETER_NAME.test(view.name)) return false
  return ACTIVATION_WORD.test(view.name) || !NETWORK_PART.test(view.name)
}

function looksLikeWeight(view: TensorView): boolean {
  return view.shape.length === 2 && !meansActivations(view.name)
}

function firstByName(views: readonly RealView[]): RealView | null {
  return views.reduce<RealView | null>((best, view) => (best && byName(best, view) <= 0 ? best : view), null)
}

function suggestionFor(activations: TensorView, tensors: readonly TensorView[], weight: TensorView): string {
  const fitting = tensors.filter((view) => {
    const another = view.name !== weight.name && view.name !== activations.name && !meansActivations(view.name)
    return another && weightObstacle(view) === null && columnsOf(view) === columnsOf(activations)
  })
  const owner = fitting.find((view) => inputModule(activations) === moduleOf(view)) ?? fitting[0]
  return owner ? ` Did you mean ${moduleOf(owner)}?` : ''
}

/** Up to three tensors with a fact about each: `11008 in "a", 64 in "b" and 2 more`. */
function listed(views: readonly TensorView[], fact: (view: TensorView) => string): string {
  const shown = views.slice(0, 3).map((view) => `${fact(view)} in ${quoted(view.name)}`)
  return shown.join(', ') + (views.length > 3 ? ` and ${views.length - 3} more` : '')
}

function elements(view: TensorView): number {
  return view.shape.reduce((product, axis) => product * axis, 1)
}
