import { Button, NativeSelect } from '@mantine/core'
import { useMemo } from 'react'
import { methodLabel } from '../../figures/describe'
import { formatDecibels } from '../../figures/format-number'
import { describeParameterSweep, drawParameterSweep, parameterSweepTable } from '../../figures/parameter-sweep'
import { betterValues } from '../../store/better-values'
import { noDevice } from '../../store/panel-state'
import { drawnSweep, type SweepModel, sweepMenu, sweepModel } from '../../store/sweeps'
import { Field } from '../Field'
import { useTheme } from '../main/figure-look'
import { PanelState, StatePanel } from '../PanelState'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useActions, useApp } from '../use-app'
import styles from './SweepsView.module.css'

/** One parameter of the chosen methods against their errors: how sensitive the answer is. */
export function SweepsView() {
  const model = useApp(sweepModel)
  const parameter = useApp((state) => state.sweeps.parameter)
  return (
    <div className={styles.view} data-test="panel-sweeps">
      <div className={styles.controls}>
        <ParameterField />
        {model && <Progress model={model} />}
      </div>
      {model ? <Lines model={model} /> : <PanelState kind="empty" {...noParameter(parameter)} />}
    </div>
  )
}

const noParameter = (parameter: string | null) =>
  parameter === null
    ? {
        title: 'No shown method has a parameter to vary',
        text: 'Show one that has under Methods: GPTQ, SmoothQuant or a learned transform, for example.',
      }
    : {
        title: `No shown method has the parameter "${parameter}".`,
        text: 'Choose another parameter above, or a method that has it.',
      }

function ParameterField() {
  const offered = useApp(sweepMenu)
  const chosen = useApp((state) => state.sweeps.parameter ?? offered[0]?.value ?? '')
  const { setSweepParameter } = useActions()
  return (
    <Field
      label="Parameter"
      help="What is varied, everything else as it is set. Evaluation rows stay the same; fewer calibration tokens are the first rows."
      topics={chosen === '' ? undefined : [`sweep:${chosen}`]}
    >
      {(ids) => (
        <NativeSelect
          {...ids}
          size="xs"
          data-test="sweep-parameter"
          disabled={offered.length === 0}
          value={chosen}
          onChange={({ currentTarget }) => setSweepParameter(currentTarget.value)}
          data={[...offered]}
        />
      )}
    </Field>
  )
}

/** How far the sweep is, and how to start or stop it. */
function Progress({ model: { done, total, running, stale } }: { readonly model: SweepModel }) {
  const { phase, end } = useApp(({ sweeps }) => ({ phase: sweeps.phase, end: sweeps.end }))
  const ready = useApp((state) => state.device.status === 'ready')
  const { runSweep, cancelSweep } = useActions()
  if (phase !== 'idle') {
    const step = running === null ? 'waiting for the comparison' : methodLabel(running)
    return (
      <div className={styles.progress} role="status">
        <progress max={Math.max(total, 1)} value={done} aria-label="Values computed" />
        <span>
          {done} of {total} values, {step}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          data-test="sweep-cancel"
          disabled={phase === 'cancelling'}
          onClick={cancelSweep}
        >
          {phase === 'cancelling' ? 'Cancelling' : 'Cancel'}
        </Button>
      </div>
    )
  }
  const complete = total > 0 && done === total
  return (
    <div className={styles.progress}>
      {end?.kind === 'failed' && (
        <span role="alert">
          {end.error.code} {end.error.message}
        </span>
      )}
      {!complete && (
        <Button size="compact-sm" data-test="sweep-run" disabled={!ready} onClick={runSweep}>
          {stale !== null ? 'Run again' : done > 0 ? 'Continue' : 'Run'}
        </Button>
      )}
      <span data-test="sweep-state">
        {complete
          ? `${total} values, all computed`
          : total > 0
            ? `${done} of ${total} values computed`
            : ready
              ? 'Nothing is computed yet'
              : 'Needs WebGPU'}
      </span>
    </div>
  )
}

/** Before the first value. */
function NoLines({ label }: { readonly label: string }) {
  const computing = useApp((state) => state.sweeps.phase !== 'idle')
  const missing = useApp(noDevice)
  if (missing) return <StatePanel state={missing} />
  return computing ? (
    <PanelState kind="working" title="Computing the first value" text="Lines grow as values arrive." />
  ) : (
    <PanelState
      kind="empty"
      title="Nothing is computed yet"
      text={`Run, above, computes the output error of the chosen methods over ${label}.`}
    />
  )
}

/** What the sweep found better than what is in use, and a button that takes it over. */
function BetterValues({ model }: { readonly model: SweepModel }) {
  const { setMethodOption } = useActions()
  const better = betterValues(model)
  if (better.length === 0) return null
  return (
    <ul className={styles.better} data-test="sweep-better">
      {better.map(({ method, value, gainDb }) => (
        <li key={method}>
          {methodLabel(method)} is best at {value}
          {gainDb === null ? '' : `, ${formatDecibels(gainDb)} dB above what is in use`}
          <Button
            size="compact-xs"
            variant="default"
            data-test={`sweep-use-${method}`}
            aria-label={`Use ${value} for ${methodLabel(method)}`}
            onClick={() => setMethodOption(method, model.key, value)}
          >
            Use {value}
          </Button>
        </li>
      ))}
    </ul>
  )
}

function Lines({ model }: { readonly model: SweepModel }) {
  const theme = useTheme()
  const { key, label, stale, without } = model
  // By themselves: they stay the same while the rest of the model changes, and the figure with them.
  const lines = useApp((state, vocabulary) => sweepModel(state, vocabulary)?.lines ?? [])
  const inUse = useApp((state, vocabulary) => sweepModel(state, vocabulary)?.inUse ?? [])
  const sweep = useMemo(() => drawnSweep({ label, lines, inUse }), [label, lines, inUse])
  const figure = useMemo(() => drawParameterSweep(sweep, theme), [sweep, theme])
  return (
    <>
      {stale !== null && (
        <p className={styles.stale} data-test="sweep-stale" role="status">
          Computed under {stale}: layer, setting or options are others now. Run again for what is on screen.
        </p>
      )}
      {without.length > 0 && (
        <p className={styles.note}>Without this parameter: {without.map(methodLabel).join(', ')}.</p>
      )}
      <BetterValues model={model} />
      {lines.length === 0 && <NoLines label={label} />}
      {lines.length > 0 && (
        <article
          className={styles.panel}
          data-test="sweep-figure"
          data-result={stale === null ? 'live' : 'stale'}
          aria-label={`Output error over ${label}`}
        >
          <Plot figure={figure} title={`Sweep: ${label}`} label={describeParameterSweep(sweep)}>
            <FigureData name={`sweep, ${key}`} table={() => parameterSweepTable(sweep)} />
          </Plot>
        </article>
      )}
    </>
  )
}
