import { Popover, Tooltip } from '@mantine/core'
import type { KeyboardEvent } from 'react'
import type { MethodEntry } from '../../experiment/catalog'
import { BASELINE } from '../../store/vocabulary'
import { HelpButton } from '../help/HelpButton'
import { Cross, Gear } from '../icons'
import { MethodMark } from '../MethodMark'
import { useHoverTip } from '../main/use-hover-tip'
import { useMethodTarget } from '../method-target'
import { OptionField } from '../OptionField'
import { useActions, useApp } from '../use-app'
import styles from './MethodsSection.module.css'

interface MethodProps {
  readonly entry: MethodEntry
}

interface ChipProps extends MethodProps {
  /** On which side of it a dragged chip would go. */
  readonly drop: 'before' | 'after' | undefined
  /** One place earlier (−1) or later (1). */
  readonly onStep: (step: 1 | -1) => void
}

const STEPS: Readonly<Record<string, 1 | -1>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

/** A chosen method: shown or hidden, its place, its options, and the way out. */
export function MethodChip({ entry, drop, onStep }: ChipProps) {
  const on = useApp((state) => state.setup.methods.some(({ id, hidden }) => id === entry.id && !hidden))
  const changed = useApp((state) => {
    const chosen = state.setup.methods.find(({ id }) => id === entry.id)
    return Object.keys(chosen?.options ?? {}).length > 0
  })
  const { showMethod } = useActions()
  const { tip, target } = useHoverTip()
  const marked = useMethodTarget(entry.id)
  const help = `${entry.summary} ${on ? 'Press to hide it' : 'Hidden. Press to show it'}; it is computed either way.`
  return (
    <span className={styles.chip} data-on={on} data-chip={entry.id} data-drop={drop} {...marked}>
      <Tooltip label={`${help} Source: ${entry.source}`} position="right" {...tip}>
        <button
          type="button"
          className={styles.toggle}
          data-test={`method-${entry.id}`}
          aria-pressed={on}
          aria-description={`${help} Alt and an arrow key move it.`}
          onClick={() => showMethod(entry.id, !on)}
          {...target}
          onKeyDown={(event) => {
            target.onKeyDown()
            moveByKey(event, onStep)
          }}
        >
          <MethodMark id={entry.id} /> {entry.label}
          {changed ? <span title="Options differ from the defaults"> (changed)</span> : null}
        </button>
      </Tooltip>
      {entry.options.length > 0 && <Options entry={entry} onStep={onStep} />}
      {entry.id !== BASELINE && <Remove entry={entry} />}
    </span>
  )
}

/** Alt and an arrow key: one place earlier or later; the focus stays on the chip. */
function moveByKey(event: KeyboardEvent<HTMLElement>, onStep: ChipProps['onStep']): void {
  const step = STEPS[event.key]
  if (!event.altKey || step === undefined) return
  // Alt and an arrow is also the browser's way back.
  event.preventDefault()
  const button = event.currentTarget
  onStep(step)
  // An element that is moved in the page loses the focus.
  requestAnimationFrame(() => button.focus())
}

function Remove({ entry }: MethodProps) {
  const { toggleMethod } = useActions()
  return (
    <button
      type="button"
      className={styles.gear}
      aria-label={`Remove ${entry.label}`}
      data-test={`method-remove-${entry.id}`}
      onClick={() => toggleMethod(entry.id)}
    >
      <Cross />
    </button>
  )
}

function Options({ entry, onStep }: Omit<ChipProps, 'drop'>) {
  const { resetMethodOptions } = useActions()
  return (
    <Popover position="right-start" shadow="md" withArrow trapFocus width={300}>
      <Popover.Target>
        <button
          type="button"
          className={styles.gear}
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
        <div className={styles.steps}>
          <button type="button" className={styles.reset} onClick={() => resetMethodOptions(entry.id)}>
            Reset to defaults
          </button>
          <button
            type="button"
            className={styles.reset}
            data-test={`method-earlier-${entry.id}`}
            onClick={() => onStep(-1)}
          >
            Move earlier
          </button>
          <button type="button" className={styles.reset} onClick={() => onStep(1)}>
            Move later
          </button>
        </div>
        <HelpButton about={entry.label} topics={[`method:${entry.id}`]} />
      </Popover.Dropdown>
    </Popover>
  )
}

function Option({ entry, spec }: MethodProps & { readonly spec: MethodEntry['options'][number] }) {
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
