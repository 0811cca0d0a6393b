import { Button } from '@mantine/core'
import { methodLabel } from '../../figures/describe'
import { formatName } from '../../figures/outlier-study'
import { ratioText, verdictWord } from '../../figures/rotation-verdict'
import { isRandom, PAIR_FORMATS, pairModel, pairRotation } from '../../store/rotation-causes'
import { useActions, useApp } from '../use-app'
import styles from './rotation.module.css'

/** The same rotation on the same layer in a block format and in one with a scale per row, whatever the setting is. */
export function FormatPair() {
  const method = useApp(pairRotation)
  const asked = useApp((state, vocabulary) => pairModel(state, vocabulary, PAIR_FORMATS[0]).seeds > 0)
  const failed = useApp((state, vocabulary) =>
    PAIR_FORMATS.some((format) => pairModel(state, vocabulary, format).error !== null),
  )
  const { retryPair } = useActions()
  if (!asked) return null
  return (
    <section className={styles.pair} aria-label="This layer in two formats" data-test="causes-pair">
      <table>
        <caption>This layer, weights and activations both in</caption>
        <thead>
          <tr>
            <th scope="col">format</th>
            <th scope="col">{methodLabel(method)} ÷ RTN</th>
            <th scope="col">rotation</th>
          </tr>
        </thead>
        <tbody>
          {PAIR_FORMATS.map((format) => (
            <PairRow key={format} format={format} />
          ))}
        </tbody>
      </table>
      {failed && (
        <Button size="compact-xs" variant="default" onClick={retryPair}>
          Try again
        </Button>
      )}
    </section>
  )
}

function PairRow({ format }: { readonly format: string }) {
  const method = useApp(pairRotation)
  const ratios = useApp((state, vocabulary) => pairModel(state, vocabulary, format).ratios)
  const { seeds, error } = useApp((state, vocabulary) => {
    const model = pairModel(state, vocabulary, format)
    return { seeds: model.seeds, error: model.error }
  })
  const judged = { method, ratios, seeds, isRandom: isRandom(method) }
  return (
    <tr data-test={`pair-${format}`}>
      <th scope="row">{formatName(format)}</th>
      <td>{ratioText(judged) ?? '–'}</td>
      <td>{error ?? verdictWord(judged)}</td>
    </tr>
  )
}
