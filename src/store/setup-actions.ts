import type { Setting } from '../experiment/request'
import type { Rounding, ScaleRule } from '../formats/number-format'
import type { OptionValue } from '../methods/options'
import type { StoreContext } from './context'
import { distinctOptions } from './method-link'
import type { MethodSetup, Pane, SetupSlice, SurfaceShape, Theme } from './state'
import { settingOf } from './url'
import type { ViewId } from './views'
import { BASELINE } from './vocabulary'

/** Actions on the setting, the methods and the view. */
export interface SetupActions {
  setSetting(setting: Setting): void
  /** A free pair of formats; null leaves that side as loaded. */
  setFormats(weightFormat: string | null, activationFormat: string | null): void
  setScaleRule(scaleRule: ScaleRule): void
  setRounding(rounding: Rounding): void
  setPreScale(preScale: boolean): void
  setSeed(seed: number): void
  /** Adds or removes a method; the baseline is only shown or hidden. */
  toggleMethod(id: string): void
  setMethodOption(id: string, key: string, value: OptionValue): void
  resetMethodOptions(id: string): void
  setView(view: ViewId): void
  setTheme(theme: Theme): void
  setSurface(surface: SurfaceShape): void
  setPane(pane: Pane): void
  setRailOpen(open: boolean): void
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
  return {
    setSetting: (setting) => change({ setting }),
    setFormats: (weightFormat, activationFormat) =>
      change({ setting: settingOf(weightFormat, activationFormat, environment.vocabulary) }),
    setScaleRule: (scaleRule) => change({ scaleRule }),
    setRounding: (rounding) => change({ rounding }),
    setPreScale: (preScale) => change({ preScale }),
    setSeed: (seed) => change({ seed }),
    toggleMethod: (id) => change({ methods: toggled(get().setup.methods, id, catalog) }),
    setMethodOption: (id, key, value) => {
      const current = get().setup.methods.find((method) => method.id === id)
      if (current) setOptions(id, { ...current.options, [key]: value })
    },
    resetMethodOptions: (id) => setOptions(id, {}),
    setView: (view) => {
      patch('view', { view })
      if (view === 'error') schedule()
    },
    setSurface: (surface) => patch('view', { surface }),
    setTheme: (theme) => patch('view', { theme }),
    setPane: (pane) => patch('view', { pane }),
    setRailOpen: (railOpen) => patch('view', { railOpen }),
  }
}

function toggled(
  methods: readonly MethodSetup[],
  id: string,
  catalog: readonly { readonly id: string }[],
): readonly MethodSetup[] {
  if (id === BASELINE) return methods.map((each) => (each.id === id ? { ...each, hidden: !each.hidden } : each))
  if (methods.some((method) => method.id === id)) return methods.filter((method) => method.id !== id)
  const chosen = [...methods, { id, hidden: false, options: {} }]
  return catalog.flatMap((entry) => chosen.filter((method) => method.id === entry.id))
}
