import { Popover, Tooltip } from '@mantine/core'
import type { MethodEntry } from '../../experiment/catalog'
import { BASELINE } from '../../store/vocabulary'
import { Gear } from '../icons'
import { MethodMark } from '../MethodMark'
import { OptionField } from '../OptionField'
import { useActions, useApp, useVocabulary } from '../use-app'
import styles from './MethodsSection.module.css'

/** METHODS: what is compared. */
export function MethodsSection() {
  const { methods } = useVocabulary()
  return (
    <section aria-labelledby="methods-heading">
      <h2 id="methods-heading">Methods</h2>
      <div className={styles.chips}>
        {methods.map((entry) => (
          <Chip key={entry.id} entry={entry} />
        ))}
      </div>
    </section>
  )
}

function Chip({ entry }: { readonly entry: MethodEntry }) {
  const chosen = useApp((state) => state.setup.methods.find(({ id }) => id === entry.id))
  const { toggleMethod } = useActions()
  const on = chosen !== undefined && !chosen.hidden
  const changed = Object.keys(chosen?.options ?? {}).length > 0
  const baseline = entry.id === BASELINE ? ' Always computed, as the baseline; this shows or hides it.' : ''
  return (
    <span className={styles.chip} data-on={on}>
      <Tooltip label={`${entry.summary}${baseline} Source: ${entry.source}`} position="right">
        <button
          type="button"
          className={styles.toggle}
          data-test={`method-${entry.id}`}
          aria-pressed={on}
          onClick={() => toggleMethod(entry.id)}
        >
          <MethodMark id={entry.id} /> {entry.label}
          {changed ? <span title="Options differ from the defaults"> *</span> : null}
        </button>
      </Tooltip>
      {entry.options.length > 0 && <Options entry={entry} disabled={chosen === undefined} />}
    </span>
  )
}

function Options({ entry, disabled }: { readonly entry: MethodEntry; readonly disabled: boolean }) {
  const { resetMethodOptions } = useActions()
  return (
    <Popover position="right-start" shadow="md" withArrow trapFocus width={300}>
      <Popover.Target>
        <button
          type="button"
          className={styles.gear}
          disabled={disabled}
          aria-label={`Options of ${entry.label}`}
          data-test={`method-options-${entry.id}`}
        >
          <Gear />
        </button>
      </Popover.Target>
      <Popover.Dropdown className={styles.options}>
        {entry.options.map((spec) => (
          <Option key={spec.key} entry={entry} spec={spec} />
        ))}
        <button type="button" className={styles.reset} onClick={() => resetMethodOptions(entry.id)}>
          Reset to defaults
        </button>
      </Popover.Dropdown>
    </Popover>
  )
}

function Option({ entry, spec }: { readonly entry: MethodEntry; readonly spec: MethodEntry['options'][number] }) {
  const chosen = useApp((state) => state.setup.methods.find(({ id }) => id === entry.id)?.options[spec.key])
  const { setMethodOption } = useActions()
  return (
    <OptionField
      spec={spec}
      value={chosen ?? spec.default}
      hook={`option-${entry.id}-${spec.key}`}
      onChange={(value) => setMethodOption(entry.id, spec.key, value)}
    />
  )
}
