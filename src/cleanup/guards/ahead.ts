/** ahead: what a run is about to do, for whoever is asked whether it may. */
import type { CoordinatorCounts } from '../../domain/report.ts';

export interface Ahead {
  readonly coordinators: CoordinatorCounts;
  /** What is likely to be freed; `undefined` where that can't be told without another pass, or Redis does not tell. */
  readonly memoryEstimateBytes: number | undefined;
}
