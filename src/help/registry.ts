import type { HelpEntry, HelpGroup } from './entry'
import { FIGURE_HELP } from './figures'
import { FORMAT_HELP, RULE_HELP } from './formats'
import { METHOD_OPTION_HELP } from './method-options'
import { MITIGATION_HELP, TRANSFORM_HELP } from './methods'
import { METRIC_HELP } from './metrics'
import { ACTIVATION_HELP, SETTING_HELP, SWEEP_HELP } from './settings'
import { IDEA_HELP, VIEW_HELP } from './views'

/** Everything that can be asked about, in the order of the glossary. */
export const HELP_GROUPS: readonly HelpGroup[] = [
  { id: 'ideas', title: 'Ideas', entries: IDEA_HELP },
  { id: 'transforms', title: 'Transforms', entries: TRANSFORM_HELP },
  { id: 'mitigations', title: 'Mitigations', entries: MITIGATION_HELP },
  { id: 'method-options', title: 'Options of methods', entries: METHOD_OPTION_HELP },
  { id: 'settings', title: 'Settings', entries: SETTING_HELP },
  { id: 'formats', title: 'Number formats', entries: FORMAT_HELP },
  { id: 'rules', title: 'Scales and rounding', entries: RULE_HELP },
  { id: 'activations', title: 'Layer, activations and rows', entries: [...ACTIVATION_HELP, ...SWEEP_HELP] },
  { id: 'metrics', title: 'Metrics', entries: METRIC_HELP },
  { id: 'views', title: 'Views', entries: VIEW_HELP },
  { id: 'figures', title: 'Figures', entries: FIGURE_HELP },
]

const BY_ID: ReadonlyMap<string, HelpEntry> = new Map(
  HELP_GROUPS.flatMap(({ entries }) => entries).map((entry) => [entry.id, entry]),
)

/** The entry of that id; null where there is none. */
export function helpById(id: string): HelpEntry | null {
  return BY_ID.get(id) ?? null
}
