import { SegmentedControl } from '@mantine/core'
import type { Setting } from '../../experiment/request'
import { choosesKeyOrValue } from '../../store/selectors'
import { useActions, useApp, useVocabulary } from '../use-app'
import styles from './SettingSection.module.css'

const CUSTOM = 'custom'

/** The settings with a name; those of the key-value cache only where the weight is a key or value projection. */
export function Presets() {
  const { settings, kvSettings } = useVocabulary()
  const chosen = useApp((state) => state.setup.setting)
  const cached = useApp(choosesKeyOrValue)
  const isKv = kvSettings.some(({ id }) => id === chosen.id)
  const other = isKv && cached ? null : isKv ? chosen.id : 'Custom'
  return (
    <>
      <Segments label="Setting: bits of weights and activations" settings={settings} other={other} />
      {cached && <Segments label="The same with a quantized key-value cache" settings={kvSettings} other={null} />}
    </>
  )
}

interface SegmentsProps {
  readonly label: string
  readonly settings: readonly Setting[]
  /** What to call a setting that is none of these; null: none of the segments is then chosen. */
  readonly other: string | null
}

function Segments({ label, settings, other }: SegmentsProps) {
  const chosen = useApp((state) => state.setup.setting)
  const { setSetting } = useActions()
  const isPreset = settings.some(({ id }) => id === chosen.id)
  const segments = settings.map(({ id }) => ({
    value: id,
    label: <span data-test={`setting-${id.toLowerCase()}`}>{id}</span>,
  }))
  const rest = { value: CUSTOM, label: <span data-test="setting-custom">{other}</span> }
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      classNames={{ label: styles.segment }}
      aria-label={label}
      value={isPreset ? chosen.id : other === null ? '' : CUSTOM}
      onChange={(value) => {
        const preset = settings.find(({ id }) => id === value)
        if (preset) setSetting(preset)
      }}
      data={isPreset || other === null ? segments : [...segments, rest]}
    />
  )
}
