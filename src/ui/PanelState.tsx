import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { METHOD_PRESETS } from '../store/method-presets'
import type { NextStep, PanelKind, PanelState as PanelModel } from '../store/panel-state'
import { savedOnScreen } from '../store/saved-layer'
import styles from './PanelState.module.css'
import { useDrop } from './rail/DropTarget'
import { useActions, useStateReader } from './use-app'

interface PanelAction {
  readonly label: string
  readonly hook?: string
  readonly disabled?: boolean
  readonly onClick: () => void
}

interface PanelStateProps {
  readonly kind: PanelKind
  readonly title: ReactNode
  readonly text?: ReactNode
  readonly actions?: readonly PanelAction[]
  /** In a tile or beside a list, where it shares the room. */
  readonly compact?: boolean
}

/** What stands where a figure would: why there is none, and what leads on. */
export function PanelState({ kind, title, text, actions = [], compact }: PanelStateProps) {
  return (
    <div
      className={styles.state}
      data-test="panel-state"
      data-kind={kind}
      data-compact={compact}
      role={kind === 'failed' ? 'alert' : 'status'}
    >
      <p className={styles.title}>{title}</p>
      {text && <p>{text}</p>}
      {actions.length > 0 && (
        <div className={styles.steps}>
          {actions.map(({ label, hook, ...button }) => (
            <Button key={label} size="compact-sm" variant="default" data-test={hook} {...button}>
              {label}
            </Button>
          ))}
        </div>
      )}
    </div>
  )
}

/** The same of a state the store describes. */
export function StatePanel({ state: { steps, ...rest } }: { readonly state: PanelModel }) {
  const toAction = useNextSteps()
  return <PanelState {...rest} actions={steps.map(toAction)} />
}

function useNextSteps(): (step: NextStep) => PanelAction {
  const actions = useActions()
  const read = useStateReader()
  const { pick } = useDrop()
  return (step) => {
    switch (step.kind) {
      case 'open-file':
        return { label: 'Open a file', onClick: pick }
      case 'choose-weight':
        return { label: 'Go to Layer', onClick: () => showLayers(actions) }
      case 'start-device':
        return { label: 'Try again', onClick: () => void actions.openDevice() }
      case 'run':
        return { label: 'Compute', onClick: actions.run }
      case 'synthetic-study':
        return { label: 'Study a synthetic layer', onClick: () => actions.setRotation({ part: 'synthetic' }) }
      case 'open-saved-layer':
        return { label: 'Open the layer', onClick: () => void openSavedLayer(actions, savedOnScreen(read())) }
      case 'built-in':
        return { label: step.label, onClick: () => void actions.openBuiltIn(step.id) }
      case 'preset':
        return { label: step.label, onClick: () => takePreset(actions, step.id) }
      case 'add-method':
        return { label: `Add ${step.label}`, onClick: () => actions.toggleMethod(step.id) }
    }
  }
}

type Actions = ReturnType<typeof useActions>

/** The rail where it stands open; else its drawer, or the pane of a phone. */
function showLayers({ setPane, setRailOpen }: Actions): void {
  setPane('layer')
  setRailOpen(true)
}

async function openSavedLayer({ applyLink }: Actions, saved: ReturnType<typeof savedOnScreen>): Promise<void> {
  if (saved) await applyLink(`#${saved.fragment}`)
}

function takePreset({ setMethods }: Actions, id: string): void {
  const preset = METHOD_PRESETS.find((each) => each.id === id)
  if (preset) setMethods(preset.methods)
}
