import type { OptionValue } from '../core/options'
import type { Setting } from '../experiment/request'
import { settingOf } from '../experiment/settings'
import { chooseFormat, formatText, parseFormat } from '../formats/format-text'
import type { Rounding, ScaleRule } from '../formats/number-format'
import { shownBlock } from './blocks-view'
import type { StoreContext } from './context'
import { distinctOptions } from './method-link'
import { type RailSectionId, writeFolded } from './rail-summary'
import type { MethodSetup, Pane, PreScaleSetup, SetupSlice, SurfaceShape, Theme, TileAxes } from './state'
import type { ViewId } from './views'
import { BASELINE } from './vocabulary'

/** The tensor a format stands for, by its field in a Setting. */
export type FormatSide = Exclude<keyof Setting, 'id'>

/** Actions on the setting, the methods and the view. */
export interface SetupActions {
  setSetting(setting: Setting): void
  /** The format of one tensor as text with its options; null leaves it as loaded. */
  setFormat(side: FormatSide, format: string | null): void
  /** One option of the format that stands for this tensor. */
  setFormatOption(side: FormatSide, key: string, value: OptionValue): void
  setScaleRule(scaleRule: ScaleRule): void
  setRounding(rounding: Rounding): void
  setPreScale(change: Partial<PreScaleSetup>): void
  setBlockSize(blockSize: number): void
  setHeadDim(headDim: number | null): void
  setSeed(seed: number): void
  /** Adds or removes a method; the baseline is only shown or hidden. */
  toggleMethod(id: string): void
  /** Shows or hides a chosen method; it is computed all the same. */
  showMethod(id: string, shown: boolean): void
  /** Puts a chosen method at a place among the others, 0 the first: the order of chips, tiles and rows. */
  moveMethod(id: string, to: number): void
  /** Chooses exactly these methods, in catalog order, with the options they have; the baseline is hidden where it is not among them. */
  setMethods(ids: readonly string[]): void
  setMethodOption(id: string, key: string, value: OptionValue): void
  resetMethodOptions(id: string): void
  setView(view: ViewId): void
  setTheme(theme: Theme): void
  setSurface(surface: SurfaceShape): void
  setAxes(axes: TileAxes): void
  setPane(pane: Pane): void
  setRailOpen(open: boolean): void
  /** Folds a section of the rail, or opens it; kept on the device. */
  toggleSection(section: RailSectionId): void
}

export function createSetupActions({ environment, get, patch, schedule }: StoreContext): SetupActions {
  const catalog = environment.vocabulary.methods
  const change = (fields: Partial<SetupSlice>) => {
    patch('setup', fields)
    schedule()
  }
  const setOptions = (id: string, options: MethodSetup['options']) => {
    const entry = catalog.find((method) => method.id === id)
    if (!entry) return
    const distinct = distinctOptions(entry, options)
    const methods = get().setup.methods.map((method) => (method.id === id ? { ...method, options: distinct } : method))
    change({ methods })
  }
  const setFormat = (side: FormatSide, format: string | null) =>
    change({ setting: settingOf({ ...get().setup.setting, [side]: format }) })
  return {
    setSetting: (setting) => change({ setting }),
    setFormat,
    setFormatOption: (side, key, value) => {
      const text = get().setup.setting[side]
      if (text === null) return
      const { format, options } = parseFormat(text)
      setFormat(side, formatText(chooseFormat(format, { ...options, [key]: value })))
    },
    setScaleRule: (scaleRule) => change({ scaleRule }),
    setRounding: (rounding) => change({ rounding }),
    setPreScale: (fields) => change({ preScale: { ...get().setup.preScale, ...fields } }),
    setBlockSize: (blockSize) => {
      const { setup, blocks } = get()
      const open = shownBlock(get())?.block ?? blocks.block
      change({ blockSize })
      // The open block stays the one its first channel is in.
      patch('blocks', { block: Math.floor((open * setup.blockSize) / blockSize) })
    },
    setHeadDim: (headDim) => change({ headDim }),
    setSeed: (seed) => change({ seed }),
    toggleMethod: (id) => change({ methods: toggled(get().setup.methods, id, catalog) }),
    showMethod: (id, shown) =>
      change({ methods: get().setup.methods.map((each) => (each.id === id ? { ...each, hidden: !shown } : each)) }),
    moveMethod: (id, to) => patch('setup', { methods: moved(get().setup.methods, id, to) }),
    setMethods: (ids) => change({ methods: chosenMethods(get().setup.methods, ids, catalog) }),
    setMethodOption: (id, key, value) => {
      const current = get().setup.methods.find((method) => method.id === id)
      if (current) setOptions(id, { ...current.options, [key]: value })
    },
    resetMethodOptions: (id) => setOptions(id, {}),
    setView: (view) => {
      patch('view', { view })
      if (view === 'error' || view === 'scales') schedule()
    },
    setSurface: (surface) => patch('view', { surface }),
    setAxes: (axes) => patch('view', { axes }),
    setTheme: (theme) => patch('view', { theme }),
    setPane: (pane) => patch('view', { pane }),
    setRailOpen: (railOpen) => patch('view', { railOpen }),
    toggleSection: (section) => {
      const { folded } = get().view
      const next = folded.includes(section) ? folded.filter((each) => each !== section) : [...folded, section]
      patch('view', { folded: next })
      writeFolded(environment.memory, next)
    },
  }
}

function toggled(
  methods: readonly MethodSetup[],
  id: string,
  catalog: readonly { readonly id: string }[],
): readonly MethodSetup[] {
  if (id === BASELINE) return methods.map((each) => (each.id === id ? { ...each, hidden: !each.hidden } : each))
  if (methods.some((method) => method.id === id)) return methods.filter((method) => method.id !== id)
  // After the last of those that the catalog has before it: in catalog order where nothing was moved.
  const rank = (of: string) => catalog.findIndex((entry) => entry.id === of)
  const at = methods.findLastIndex((method) => rank(method.id) < rank(id)) + 1
  return [...methods.slice(0, at), { id, hidden: false, options: {} }, ...methods.slice(at)]
}

function moved(methods: readonly MethodSetup[], id: string, to: number): readonly MethodSetup[] {
  const one = methods.filter((method) => method.id === id)
  const others = methods.filter((method) => method.id !== id)
  const at = Math.max(0, Math.min(others.length, to))
  return [...others.slice(0, at), ...one, ...others.slice(at)]
}

function chosenMethods(
  methods: readonly MethodSetup[],
  ids: readonly string[],
  catalog: readonly { readonly id: string }[],
): readonly MethodSetup[] {
  return catalog
    .filter(({ id }) => id === BASELINE || ids.includes(id))
    .map(({ id }) => ({
      id,
      hidden: !ids.includes(id),
      options: methods.find((method) => method.id === id)?.options ?? {},
    }))
}
